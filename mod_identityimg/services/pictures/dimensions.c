/* dimensions.c - read width and height from the headers of JPEG, PNG and WebP. */
#include "services/pictures/dimensions.h"

#include <string.h>
#include "base/media_type.h"

typedef struct bytes_t {
    const unsigned char *at;
    apr_size_t length;
} bytes_t;

static int big16(const unsigned char *p)
{
    return p[0] << 8 | p[1];
}

static int little16(const unsigned char *p)
{
    return p[1] << 8 | p[0];
}

static int little24(const unsigned char *p)
{
    return p[2] << 16 | p[1] << 8 | p[0];
}

/* Signature, then IHDR, which must be the first chunk: its width and height are 31 bits. */
static bool read_png(bytes_t bytes, int *width, int *height)
{
    const unsigned char *p = bytes.at;

    if (bytes.length < 24 || memcmp(p + 12, "IHDR", 4) != 0 || (p[16] | p[20]) & 0x80) {
        return false;
    }
    *width = big16(p + 16) << 16 | big16(p + 18);
    *height = big16(p + 20) << 16 | big16(p + 22);
    return true;
}

/* SOF0 to SOF15, without the three in between that are other segments (ITU-T T.81, table B.1). */
static bool is_frame(unsigned char marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* TEM and RST0 to RST7 stand alone. */
static bool has_no_length(unsigned char marker)
{
    return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

static bool read_jpeg(bytes_t bytes, int *width, int *height)
{
    const unsigned char *p = bytes.at;
    apr_size_t at = 2;

    while (bytes.length - at >= 4 && p[at] == 0xff) {
        unsigned char marker = p[at + 1];

        if (marker == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        if (has_no_length(marker)) {
            at += 2;
            continue;
        }
        if (is_frame(marker)) {
            if (bytes.length - at < 9) {
                return false;
            }
            *height = big16(p + at + 5);
            *width = big16(p + at + 7);
            return true;
        }
        at += 2;
        if ((apr_size_t)big16(p + at) > bytes.length - at) {
            return false;
        }
        at += (apr_size_t)big16(p + at);
    }
    return false;
}

/* RIFF header, then one of three kinds of chunk (RFC 9649, sections 2.5 to 2.7). */
static bool read_webp(bytes_t bytes, int *width, int *height)
{
    const unsigned char *p = bytes.at;

    if (bytes.length < 30) {
        return false;
    }
    if (memcmp(p + 12, "VP8X", 4) == 0) {
        *width = little24(p + 24) + 1;
        *height = little24(p + 27) + 1;
        return true;
    }
    if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
        *width = (little16(p + 21) & 0x3fff) + 1;
        *height = (little24(p + 22) >> 6 & 0x3fff) + 1;
        return true;
    }
    if (memcmp(p + 12, "VP8 ", 4) == 0 && memcmp(p + 23, "\x9d\x01\x2a", 3) == 0) {
        *width = little16(p + 26) & 0x3fff;
        *height = little16(p + 28) & 0x3fff;
        return true;
    }
    return false;
}

bool iimg_picture_dimensions(const void *data, apr_size_t length, int *width, int *height)
{
    static const struct {
        iimg_format_t format;
        bool (*read)(bytes_t, int *, int *);
    } readers[] = {
        { IIMG_FORMAT_PNG, read_png },
        { IIMG_FORMAT_JPEG, read_jpeg },
        { IIMG_FORMAT_WEBP, read_webp },
    };
    iimg_format_t format = iimg_media_type_sniff(data, length)->format;
    bytes_t bytes = { data, length };

    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (readers[i].format == format) {
            return readers[i].read(bytes, width, height);
        }
    }
    return false;
}
