/* media_type_test.c - base/media_type.c: which bytes are which kind of picture, and what other
 * bytes are called. */
#include "base/media_type.h"
#include <apr_strings.h>
#include "tap.h"
#include "work.h"

#define BOX(size, brands) "\0\0\0" size "ftyp" brands

typedef struct bytes_case_t {
    const char *bytes;
    apr_size_t length;
    const char *name, *what;
} bytes_case_t;

#define BYTES(text) text, sizeof(text) - 1

static const bytes_case_t kinds[] = {
    { BYTES("\xff\xd8\xff"), "JPEG", "the shortest JPEG" },
    { BYTES("\xff\xd8"), "unknown", "two bytes of a JPEG" },
    { BYTES("\xff\xd8\xfe"), "unknown", "another third byte" },
    { BYTES("\x89PNG\r\n\x1a\n"), "PNG", "a PNG signature" },
    { BYTES("\x89PNG\r\n\x1a"), "unknown", "seven bytes of a PNG signature" },
    { BYTES("\x89PNG\n\n\x1a\n"), "unknown", "a PNG with changed line ends" },
    { BYTES("RIFF....WEBP"), "WebP", "the shortest WebP" },
    { BYTES("RIFF....WEB"), "unknown", "eleven bytes of a WebP" },
    { BYTES("RIFF....WAVE"), "unknown", "a WAVE" },
    { BYTES("RIFX....WEBP"), "unknown", "another container" },
    { BYTES("GIF87a"), "GIF", "an old GIF" },
    { BYTES("GIF89a"), "GIF", "a GIF" },
    { BYTES("GIF88a"), "unknown", "a GIF of no version" },
    { BYTES("GIF89"), "unknown", "five bytes of a GIF" },
    { BYTES(BOX("\x0c", "avif")), "AVIF", "a major brand alone" },
    { BYTES(BOX("\x0c", "avi")), "unknown", "eleven bytes" },
    { BYTES("\0\0\0\x0c"
            "ftyqavif"),
      "unknown", "no ftyp" },
    { BYTES(BOX("\x14", "heic\0\0\0\0avif")), "HEIC", "a coding's major brand decides" },
    { BYTES(BOX("\x14", "mif1\0\0\0\0avif")), "AVIF", "a container's major brand does not" },
    { BYTES(BOX("\x18", "mif1\0\0\0\0heicavif")), "AVIF", "the most specific brand decides" },
    { BYTES(BOX("\x14", "mif1\0\0\0\0xxxx")), "HEIC", "a container alone" },
    { BYTES(BOX("\x14", "msf1\0\0\0\0xxxx")), "HEIC", "a sequence's container alone" },
    { BYTES(BOX("\x14", "xxxx\0\0\0\0heic")), "HEIC", "an unknown major brand" },
    { BYTES(BOX("\x14", "xxxx\0\0\0\0mif1")), "unknown", "an unknown one and a container" },
    { BYTES(BOX("\x13", "xxxx\0\0\0\0heic")), "unknown", "a brand that ends behind the box" },
    { BYTES(BOX("\x14", "xxxx\0\0\0\0hei")), "unknown", "a brand that ends behind the bytes" },
    { BYTES(BOX("\0", "xxxx\0\0\0\0heic")), "HEIC", "a box to the end" },
    { BYTES(BOX("\x40", "xxxx\0\0\0\0heic")), "HEIC", "a box that is longer than the bytes" },
    { BYTES("\0\0\0\1ftyp\0\0\0\0\0\0\0\x1cxxxx\0\0\0\0heic"), "HEIC", "a box with a long size" },
    { BYTES("\0\0\0\1ftyp\0\0\0\0\0\0\0\x1bxxxx\0\0\0\0heic"), "unknown",
      "a brand that ends behind a box with a long size" },
    { BYTES("\0\0\0\1ftyp\0\0\0\1\0\0\0\x08xxxx\0\0\0\0heic"), "HEIC", "a box over 4 GiB" },
    { BYTES("\0\0\0\1ftyp\0\0\0\0\0\0\0\x14heic"), "HEIC", "a long size and a major brand" },
    { BYTES("\0\0\0\1ftyp\0\0\0\0\0\0\0\x14hei"), "unknown", "a long size and no major brand" },
    { BYTES(BOX("\x14", "isom\0\0\0\0heic")), "unknown", "a video with a picture's brand" },
    { BYTES(BOX("\x14", "M4A \0\0\0\0heic")), "unknown", "sound with a picture's brand" },
    { BYTES(BOX("\x14", "qt  \0\0\0\0heic")), "unknown", "QuickTime" },
    { BYTES(BOX("\x14", "qt x\0\0\0\0heic")), "HEIC", "another brand than QuickTime's" },
};

static void test_brands(iimg_context_t *context)
{
    static const char *const brands[][2] = {
        { "avif", "AVIF" }, { "avis", "AVIF" }, { "heic", "HEIC" }, { "heix", "HEIC" },
        { "heim", "HEIC" }, { "heis", "HEIC" }, { "hevc", "HEIC" }, { "hevx", "HEIC" },
        { "hevm", "HEIC" }, { "hevs", "HEIC" },
    };
    static const char *const videos[] = { "isox", "mp4x", "avc1", "av01", "hvc1", "3gpp", "dash",
                                          "cmfc", "msdh", "f4v ", "mjp2", "XAVC", "MSNV" };

    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        char bytes[] = BOX("\x0c", "????");

        memcpy(bytes + 8, brands[i][0], 4);
        tap_is(iimg_media_type_sniff(bytes, 12)->name, brands[i][1], "major brand %s",
               brands[i][0]);
        {
            char other[] = BOX("\x14", "mif1\0\0\0\0????");

            memcpy(other + 16, brands[i][0], 4);
            tap_is(iimg_media_type_sniff(other, 20)->name, brands[i][1], "compatible brand %s",
                   brands[i][0]);
        }
    }
    for (size_t i = 0; i < sizeof(videos) / sizeof(videos[0]); i++) {
        char bytes[] = BOX("\x14", "????\0\0\0\0heic");

        memcpy(bytes + 8, videos[i], 4);
        tap_is(iimg_media_type_sniff(bytes, 20)->name, "unknown", "major brand %s is no picture's",
               videos[i]);
        tap_is(iimg_media_type_describe(bytes, 20), "a video or another ISO media file",
               "major brand %s is described", videos[i]);
    }
    for (int count = 256; count <= 257; count++) {
        apr_size_t length = 16 + 4 * (apr_size_t)count;
        char *bytes = apr_pcalloc(context->pool, length);

        memcpy(bytes, "\0\0\0\0ftypxxxx", 12);
        memcpy(bytes + length - 4, "heic", 4);
        tap_is(iimg_media_type_sniff(bytes, length)->name, count == 256 ? "HEIC" : "unknown",
               "brand %d of a long list", count);
    }
}

static const bytes_case_t strangers[] = {
    { "", 0, "an empty file", "nothing" },
    { BYTES("%PDF-1.7"), "a PDF document", "PDF" },
    { BYTES("%PDF"), "text", "a PDF's first four bytes" },
    { BYTES("II*\0x"), "a TIFF picture", "TIFF, little endian" },
    { BYTES("MM\0*x"), "a TIFF picture", "TIFF, big endian" },
    { BYTES("BM\1\2"), "a BMP picture", "BMP" },
    { BYTES("PK\3\4"), "a ZIP archive", "ZIP" },
    { BYTES("\x1f\x8b\x08"), "a gzip archive", "gzip" },
    { BYTES("\0\0\1\0\1"), "an ICO picture", "ICO" },
    { BYTES("8BPS\0"), "a Photoshop document", "Photoshop" },
    { BYTES("\x7f"
            "ELF\2"),
      "a program", "ELF" },
    { BYTES("MZ\x90"), "a program", "Windows" },
    { BYTES("\xff\x0a\1"), "a JPEG XL picture", "JPEG XL, bare" },
    { BYTES("\0\0\0\x0cJXL \r\n"), "a JPEG XL picture", "JPEG XL, boxed" },
    { BYTES("\0\0\0\x0cjP  \r\n"), "a JPEG 2000 picture", "JPEG 2000" },
    { BYTES("\0\0\0\x0c"
            "ftypxxxx"),
      "a video or another ISO media file", "another ISO file" },
    { BYTES("\0\0\0\x0c"
            "ftypxxx"),
      "unknown data", "eleven bytes of an ISO file" },
    { BYTES("a\tb\r\nc d"), "text", "text with tabs and lines" },
    { BYTES("a\x1f"
            "b"),
      "unknown data", "a control character" },
    { BYTES("a\x20\x7f\xff"
            "b"),
      "text", "blanks and bytes from 0x7f" },
    { BYTES("<?xml?>\n<SVG>"), "an SVG drawing", "SVG" },
    { BYTES("<sv"), "text", "no SVG" },
    { BYTES("<!DOCTYPE html><p>"), "an HTML page", "HTML with a doctype" },
    { BYTES("x <Html>"), "an HTML page", "HTML" },
    { BYTES("<htm"), "text", "no HTML" },
};

static void test_window(iimg_context_t *context)
{
    for (int end = 512; end <= 513; end++) {
        char *bytes = apr_pcalloc(context->pool, 600);

        memset(bytes, ' ', 600);
        memcpy(bytes + end - 4, "<svg", 4);
        tap_is(iimg_media_type_describe(bytes, 600), end == 512 ? "an SVG drawing" : "text",
               "a tag that ends at byte %d", end);
        memset(bytes, ' ', 600);
        bytes[end - 1] = '\1';
        tap_is(iimg_media_type_describe(bytes, 600), end == 512 ? "unknown data" : "text",
               "a control character at byte %d", end);
    }
}

int main(void)
{
    static const char *const extensions[][2] = {
        { "jpg", "image/jpeg" }, { "png", "image/png" },   { "webp", "image/webp" },
        { "gif", "image/gif" },  { "heic", "image/heic" }, { "avif", "image/avif" },
        { "bin", NULL },         { "jpeg", NULL },         { "", NULL },
    };
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        tap_is(iimg_media_type_sniff(kinds[i].bytes, kinds[i].length)->name, kinds[i].name,
               "%s is %s", kinds[i].what, kinds[i].name);
    }
    test_brands(context);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        tap_is(iimg_media_type_describe(strangers[i].bytes, strangers[i].length), strangers[i].name,
               "%s is called %s", strangers[i].what, strangers[i].name);
    }
    test_window(context);
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        const iimg_media_type_t *type = iimg_media_type_by_extension(extensions[i][0]);

        tap_is(type ? type->media_type : NULL, extensions[i][1], "the type of \"%s\"",
               extensions[i][0]);
    }
    for (int i = 0; i < 6; i++) {
        tap_is(iimg_media_type_read(i) ? iimg_media_type_read(i)->extension : NULL,
               extensions[i][0], "readable type %d", i);
    }
    tap_ok(iimg_media_type_read(6) == NULL, "there are six readable types");
    work_end(context);
    return tap_done();
}
