/* media_type.c - the table of picture formats and their magic bytes. */
#include "base/media_type.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

const char *const iimg_media_types_allowed = "JPEG, PNG, WebP, GIF, HEIC or AVIF";

static const iimg_media_type_t kinds[] = {
    { IIMG_FORMAT_JPEG, "JPEG", "image/jpeg", "jpg" },
    { IIMG_FORMAT_PNG, "PNG", "image/png", "png" },
    { IIMG_FORMAT_WEBP, "WebP", "image/webp", "webp" },
    { IIMG_FORMAT_GIF, "GIF", "image/gif", "gif" },
    { IIMG_FORMAT_HEIC, "HEIC", "image/heic", "heic" },
    { IIMG_FORMAT_AVIF, "AVIF", "image/avif", "avif" },
    { IIMG_FORMAT_UNKNOWN, "unknown", "application/octet-stream", "bin" },
};

/* The brands of pictures (ISO/IEC 23008-12, AV1 Image File Format), the most specific first. The
 * last ones name a container and count only if no other brand names the coding. */
static const struct {
    char brand[5];
    iimg_format_t format;
} brands[] = {
    { "avif", IIMG_FORMAT_AVIF }, { "avis", IIMG_FORMAT_AVIF }, { "heic", IIMG_FORMAT_HEIC },
    { "heix", IIMG_FORMAT_HEIC }, { "heim", IIMG_FORMAT_HEIC }, { "heis", IIMG_FORMAT_HEIC },
    { "hevc", IIMG_FORMAT_HEIC }, { "hevx", IIMG_FORMAT_HEIC }, { "hevm", IIMG_FORMAT_HEIC },
    { "hevs", IIMG_FORMAT_HEIC }, { "mif1", IIMG_FORMAT_HEIC }, { "msf1", IIMG_FORMAT_HEIC },
};

enum {
    BRANDS = sizeof(brands) / sizeof(brands[0]),
    CONTAINERS = BRANDS - 2,
    MOST_BRANDS = 256
};

/* Prefixes of the major brands of video and audio, whose compatible brands are ignored. */
static const char *const videos[] = {
    "iso",  "mp4", "avc", "av01", "hvc", "qt  ", "M4",   "3g",
    "dash", "cmf", "msd", "f4",   "mj",  "XAVC", "MSNV",
};

static bool starts_with(const unsigned char *data, apr_size_t length, const char *magic,
                        apr_size_t n)
{
    return length >= n && memcmp(data, magic, n) == 0;
}

static apr_size_t big32(const unsigned char *p)
{
    return (apr_size_t)p[0] << 24 | (apr_size_t)p[1] << 16 | (apr_size_t)p[2] << 8 | p[3];
}

/* @return the rank of a brand in the table; BRANDS when it is not in the table */
static size_t rank_brand(const unsigned char *brand)
{
    size_t rank = 0;

    while (rank < BRANDS && memcmp(brand, brands[rank].brand, 4) != 0) {
        rank++;
    }
    return rank;
}

/* Rank the most specific of the compatible brands within both the box and the bytes. */
static size_t rank_compatible(const unsigned char *data, apr_size_t length)
{
    apr_size_t body = big32(data) == 1 ? 16 : 8, end = big32(data);
    size_t best = BRANDS;

    if (end == 1) {
        end = length >= 16 && big32(data + 8) == 0 ? big32(data + 12) : length;
    }
    end = end == 0 || end > length ? length : end;
    for (apr_size_t at = body + 8, i = 0; at + 4 <= end && i < MOST_BRANDS; at += 4, i++) {
        size_t rank = rank_brand(data + at);

        best = rank < best ? rank : best;
    }
    return best;
}

static bool is_video(const unsigned char *brand)
{
    for (size_t i = 0; i < sizeof(videos) / sizeof(videos[0]); i++) {
        if (starts_with(brand, 4, videos[i], strlen(videos[i]))) {
            return true;
        }
    }
    return false;
}

/* A major brand that names a picture's coding wins over the compatible brands. */
static iimg_format_t iso_format(const unsigned char *data, apr_size_t length)
{
    apr_size_t body;
    size_t major, other;

    if (length < 12 || memcmp(data + 4, "ftyp", 4) != 0) {
        return IIMG_FORMAT_UNKNOWN;
    }
    body = big32(data) == 1 ? 16 : 8;
    if (body + 4 > length || is_video(data + body)) {
        return IIMG_FORMAT_UNKNOWN;
    }
    major = rank_brand(data + body);
    if (major < CONTAINERS) {
        return brands[major].format;
    }
    other = rank_compatible(data, length);
    if (other < CONTAINERS) {
        return brands[other].format;
    }
    return major < BRANDS ? brands[major].format : IIMG_FORMAT_UNKNOWN;
}

static iimg_format_t format_of(const unsigned char *data, apr_size_t length)
{
    if (starts_with(data, length, "\xff\xd8\xff", 3)) {
        return IIMG_FORMAT_JPEG;
    }
    if (starts_with(data, length, "\x89PNG\r\n\x1a\n", 8)) {
        return IIMG_FORMAT_PNG;
    }
    if (starts_with(data, length, "RIFF", 4) && length >= 12 && memcmp(data + 8, "WEBP", 4) == 0) {
        return IIMG_FORMAT_WEBP;
    }
    if (starts_with(data, length, "GIF87a", 6) || starts_with(data, length, "GIF89a", 6)) {
        return IIMG_FORMAT_GIF;
    }
    return iso_format(data, length);
}

const iimg_media_type_t *iimg_media_type_sniff(const void *data, apr_size_t length)
{
    iimg_format_t format = format_of(data, length);
    const iimg_media_type_t *kind = kinds;

    while (kind->format != format) {
        kind++;
    }
    return kind;
}

const iimg_media_type_t *iimg_media_type_read(int number)
{
    return kinds[number].format == IIMG_FORMAT_UNKNOWN ? NULL : &kinds[number];
}

const iimg_media_type_t *iimg_media_type_by_extension(const char *extension)
{
    for (const iimg_media_type_t *kind = kinds; kind->format != IIMG_FORMAT_UNKNOWN; kind++) {
        if (strcmp(kind->extension, extension) == 0) {
            return kind;
        }
    }
    return NULL;
}

static const struct {
    const char *magic;
    apr_size_t length;
    const char *words;
} strangers[] = {
    { "%PDF-", 5, "a PDF document" },
    { "II*\0", 4, "a TIFF picture" },
    { "MM\0*", 4, "a TIFF picture" },
    { "BM", 2, "a BMP picture" },
    { "PK\3\4", 4, "a ZIP archive" },
    { "\x1f\x8b", 2, "a gzip archive" },
    { "\0\0\1\0", 4, "an ICO picture" },
    { "8BPS", 4, "a Photoshop document" },
    { "\x7f"
      "ELF",
      4, "a program" },
    { "MZ", 2, "a program" },
    { "\xff\x0a", 2, "a JPEG XL picture" },
    { "\0\0\0\x0cJXL ", 8, "a JPEG XL picture" },
    { "\0\0\0\x0cjP  ", 8, "a JPEG 2000 picture" },
};

static bool looks_like_text(const unsigned char *data, apr_size_t length)
{
    apr_size_t n = length < 512 ? length : 512;

    for (apr_size_t i = 0; i < n; i++) {
        if (data[i] < 0x20 && data[i] != '\t' && data[i] != '\n' && data[i] != '\r') {
            return false;
        }
    }
    return true;
}

static bool has_tag(const unsigned char *data, apr_size_t length, const char *tag)
{
    apr_size_t n = length < 512 ? length : 512;
    size_t width = strlen(tag);

    for (apr_size_t i = 0; i + width <= n; i++) {
        if (strncasecmp((const char *)data + i, tag, width) == 0) {
            return true;
        }
    }
    return false;
}

const char *iimg_media_type_describe(const void *data, apr_size_t length)
{
    const unsigned char *bytes = data;

    if (length == 0) {
        return "an empty file";
    }
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        if (starts_with(bytes, length, strangers[i].magic, strangers[i].length)) {
            return strangers[i].words;
        }
    }
    if (length >= 12 && memcmp(bytes + 4, "ftyp", 4) == 0) {
        return "a video or another ISO media file";
    }
    if (!looks_like_text(bytes, length)) {
        return "unknown data";
    }
    if (has_tag(bytes, length, "<svg")) {
        return "an SVG drawing";
    }
    return has_tag(bytes, length, "<html") || has_tag(bytes, length, "<!doctype html")
               ? "an HTML page"
               : "text";
}
