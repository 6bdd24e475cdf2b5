/* exif.c - read and write the orientation in EXIF, and nothing else. */
#include "worker/metadata/walk.h"

#include <string.h>

/* Orientation is a SHORT; some programs write a LONG, which readers accept. */
static int entry_orientation(const unsigned char *entry, uint32_t (*get16)(const unsigned char *),
                             uint32_t (*get32)(const unsigned char *))
{
    enum {
        TAG = 0x0112,
        SHORT = 3,
        LONG = 4
    };
    uint32_t type = get16(entry + 2), value;

    if (get16(entry) != TAG || get32(entry + 4) != 1 || (type != SHORT && type != LONG)) {
        return 0;
    }
    value = type == SHORT ? get16(entry + 8) : get32(entry + 8);
    return value >= 1 && value <= 8 ? (int)value : 0;
}

int iimg_exif_orientation(const unsigned char *tiff, size_t length)
{
    bool big = length >= 8 && memcmp(tiff, "MM\0*", 4) == 0;
    uint32_t (*get16)(const unsigned char *) = big ? iimg_big16 : iimg_little16;
    uint32_t (*get32)(const unsigned char *) = big ? iimg_big32 : iimg_little32;
    size_t at;

    if (!big && (length < 8 || memcmp(tiff, "II*\0", 4) != 0)) {
        return 0;
    }
    at = get32(tiff + 4);
    if (!iimg_within(at, 2, length)) {
        return 0;
    }
    for (uint32_t left = get16(tiff + at), i = 0; i < left; i++) {
        size_t entry = at + 2 + (size_t)i * 12;
        int orientation;

        if (!iimg_within(entry, 12, length)) {
            return 0;
        }
        orientation = entry_orientation(tiff + entry, get16, get32);
        if (orientation) {
            return orientation;
        }
    }
    return 0;
}

void iimg_exif_write(unsigned char *tiff, int orientation)
{
    /* Big-endian, IFD0 at 8; one entry: tag 0x0112, SHORT, one; no IFD after it. */
    static const unsigned char block[IIMG_EXIF_SIZE] = { 'M', 'M',  0,    '*', 0, 0, 0, 8, 0,
                                                         1,   0x01, 0x12, 0,   3, 0, 0, 0, 1,
                                                         0,   0,    0,    0,   0, 0, 0, 0 };

    memcpy(tiff, block, sizeof(block));
    tiff[19] = (unsigned char)orientation;
}
