/* dimensions_test.c - services/pictures/dimensions.c: headers whole, cut at every byte, and
 * strange. */
#include "services/pictures/dimensions.h"
#include "tap.h"
#include "work.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    const char *bytes;
    apr_size_t length;
    int width, height; /* 0: no size is read */
} rows[] = {
    { "a PNG", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\x60\0\0\x03\0"), 1376, 768 },
    { "a PNG without IHDR", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\x05\x60\0\0\x03\0"), 0, 0 },
    { "a PNG of negative width", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x80\0\0\0\0\0\x03\0"), 0, 0 },
    { "a JPEG", BYTES("\xff\xd8\xff\xe0\0\x04xx\xff\xc0\0\x11\x08\x03\0\x05\x60\3"), 1376, 768 },
    { "a progressive JPEG", BYTES("\xff\xd8\xff\xc2\0\x11\x08\x03\0\x05\x60\3"), 1376, 768 },
    { "a JPEG with fill bytes", BYTES("\xff\xd8\xff\xff\xff\xc0\0\x11\x08\x03\0\x05\x60\3"), 1376,
      768 },
    { "a JPEG with tables first",
      BYTES("\xff\xd8\xff\xc4\0\x03x\xff\x01\xff\xdb\0\x02\xff\xc0\0\x11\x08\0\1\0\2\3"), 2, 1 },
    { "a JPEG whose segment has no length", BYTES("\xff\xd8\xff\xe0\0\0\xff\xc0\0\x11\x08\0\1\0\2"),
      0, 0 },
    { "a JPEG whose segment is longer than the file", BYTES("\xff\xd8\xff\xe0\xff\xff\xff\xc0"), 0,
      0 },
    { "a lossy WebP", BYTES("RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\x30\1\0\x9d\x01\x2a\x60\x05\0\x03"),
      1376, 768 },
    { "a lossless WebP", BYTES("RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\x5f\xc5\xbf\0\0\0\0\0\0"),
      1376, 768 },
    { "an extended WebP", BYTES("RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x5f\x05\0\xff\x02\0"),
      1376, 768 },
    { "a GIF", BYTES("GIF89a\x60\x05\0\x03\0\0\0"), 0, 0 },
    { "text", BYTES("some words that are no picture at all"), 0, 0 },
    { "nothing", BYTES(""), 0, 0 },
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int width = 0, height = 0;
        bool read = iimg_picture_dimensions(rows[i].bytes, rows[i].length, &width, &height);

        tap_ok(read == (rows[i].width > 0) && width == rows[i].width && height == rows[i].height,
               "%s: %d x %d", rows[i].name, rows[i].width, rows[i].height);
    }
}

/* A copy of just that length, so that a sanitizer sees the first byte too far. */
static void test_cuts(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool sane = true;

        for (apr_size_t length = 1; length < rows[i].length; length++) {
            char *cut = malloc(length);
            int width = -1, height = -1;

            if (!cut) {
                abort();
            }
            memcpy(cut, rows[i].bytes, length);
            if (!iimg_picture_dimensions(cut, length, &width, &height)) {
                sane = sane && width == -1 && height == -1;
            }
            else {
                sane = sane && width == rows[i].width && height == rows[i].height;
            }
            free(cut);
        }
        tap_ok(sane, "%s may be cut anywhere", rows[i].name);
    }
}

int main(void)
{
    test_rows();
    test_cuts();
    return tap_done();
}
