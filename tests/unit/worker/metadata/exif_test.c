/* exif_test.c - worker/metadata/exif.c: the orientation of an EXIF block in both byte orders, as
 * SHORT and as LONG; invalid blocks. */
#include "worker/metadata/walk.h"

#include <stdlib.h>
#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1
#define END         "\0\0\0\0"

/* A directory of one entry; an entry is its type, count and value. */
#define LITTLE(entry) "II*\0\x08\0\0\0\1\0\x12\1" entry END
#define BIG(entry)    "MM\0*\0\0\0\x08\0\1\1\x12" entry END

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    int orientation;
} rows[] = {
    { "a SHORT, little-endian", BYTES(LITTLE("\3\0\1\0\0\0\6\0\0\0")), 6 },
    { "a SHORT, big-endian", BYTES(BIG("\0\3\0\0\0\1\0\6\0\0")), 6 },
    { "a LONG, little-endian", BYTES(LITTLE("\4\0\1\0\0\0\6\0\0\0")), 6 },
    { "a LONG, big-endian", BYTES(BIG("\0\4\0\0\0\1\0\0\0\6")), 6 },
    { "the smallest LONG, little-endian", BYTES(LITTLE("\4\0\1\0\0\0\1\0\0\0")), 1 },
    { "the largest LONG, little-endian", BYTES(LITTLE("\4\0\1\0\0\0\x08\0\0\0")), 8 },
    { "the largest LONG, big-endian", BYTES(BIG("\0\4\0\0\0\1\0\0\0\x08")), 8 },
    { "a SHORT followed by other bytes, little-endian", BYTES(LITTLE("\3\0\1\0\0\0\6\0\xff\xff")),
      6 },
    { "a SHORT followed by other bytes, big-endian", BYTES(BIG("\0\3\0\0\0\1\0\6\xff\xff")), 6 },
    { "a big-endian SHORT in the half of a LONG's value", BYTES(BIG("\0\3\0\0\0\1\0\0\0\6")), 0 },
    { "a big-endian LONG in the half of a SHORT's value", BYTES(BIG("\0\4\0\0\0\1\0\6\0\0")), 0 },
    { "a little-endian LONG in its upper half", BYTES(LITTLE("\4\0\1\0\0\0\0\0\6\0")), 0 },
    { "a little-endian LONG in both halves", BYTES(LITTLE("\4\0\1\0\0\0\6\0\1\0")), 0 },
    { "a SHORT of 0", BYTES(LITTLE("\3\0\1\0\0\0\0\0\0\0")), 0 },
    { "a SHORT of 9", BYTES(LITTLE("\3\0\1\0\0\0\x09\0\0\0")), 0 },
    { "a LONG of 0", BYTES(BIG("\0\4\0\0\0\1\0\0\0\0")), 0 },
    { "a LONG of 9, little-endian", BYTES(LITTLE("\4\0\1\0\0\0\x09\0\0\0")), 0 },
    { "a LONG of 9, big-endian", BYTES(BIG("\0\4\0\0\0\1\0\0\0\x09")), 0 },
    { "a LONG of 2^32 - 1", BYTES(LITTLE("\4\0\1\0\0\0\xff\xff\xff\xff")), 0 },
    { "no LONG", BYTES(LITTLE("\4\0\0\0\0\0\6\0\0\0")), 0 },
    { "two LONGs", BYTES(BIG("\0\4\0\0\0\2\0\0\0\6")), 0 },
    { "two SHORTs", BYTES(BIG("\0\3\0\0\0\2\0\6\0\6")), 0 },
    { "65537 SHORTs", BYTES(LITTLE("\3\0\1\0\1\0\6\0\0\0")), 0 },
    { "a BYTE", BYTES(LITTLE("\1\0\1\0\0\0\6\0\0\0")), 0 },
    { "text", BYTES(LITTLE("\2\0\1\0\0\0\6\0\0\0")), 0 },
    { "a RATIONAL", BYTES(LITTLE("\5\0\1\0\0\0\6\0\0\0")), 0 },
    { "a signed SHORT", BYTES(LITTLE("\x08\0\1\0\0\0\6\0\0\0")), 0 },
    { "a signed LONG", BYTES(BIG("\0\x09\0\0\0\1\0\0\0\6")), 0 },
    { "two entries: the first is used",
      BYTES("II*\0\x08\0\0\0\2\0\x12\1\4\0\1\0\0\0\3\0\0\0\x12\1\3\0\1\0\0\0\6\0\0\0" END), 3 },
    { "two entries, the first of which is invalid: the second is used",
      BYTES("II*\0\x08\0\0\0\2\0\x12\1\4\0\1\0\0\0\x09\0\0\0\x12\1\4\0\1\0\0\0\6\0\0\0" END), 6 },
    { "two entries, the first of which has another type",
      BYTES("MM\0*\0\0\0\x08\0\2\1\x12\0\1\0\0\0\1\3\0\0\0\1\x12\0\4\0\0\0\1\0\0\0\6" END), 6 },
    { "the tag in the other byte order", BYTES("MM\0*\0\0\0\x08\0\1\x12\1\0\3\0\0\0\1\0\6\0\0" END),
      0 },
    { "a directory that claims more entries",
      BYTES("II*\0\x08\0\0\0\xff\xff\x12\1\4\0\1\0\0\0\6\0\0\0"), 6 },
    { "a directory of no entries", BYTES("II*\0\x08\0\0\0\0\0\x12\1\4\0\1\0\0\0\6\0\0\0"), 0 },
    { "an entry that ends with the block", BYTES("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0\6"),
      6 },
    { "an entry without its last byte", BYTES("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0"), 0 },
    { "a directory somewhere else", BYTES("MM\0*\0\0\0\x0b???\0\1\1\x12\0\4\0\0\0\1\0\0\0\6"), 6 },
    { "a directory at the end", BYTES("MM\0*\0\0\0\x08"), 0 },
    { "a directory in the last byte", BYTES("MM\0*\0\0\0\x08\0"), 0 },
    { "a directory beyond the end", BYTES("II*\0\xff\xff\xff\xff\1\0\x12\1\4\0\1\0\0\0\6\0\0\0"),
      0 },
    { "a directory whose end overflows",
      BYTES("MM\0*\xff\xff\xff\xfe\0\1\1\x12\0\4\0\0\0\1\0\0\0\6"), 0 },
    { "a truncated header", BYTES("II*\0\x08\0\0"), 0 },
    { "an invalid byte order", BYTES("IM*\0\x08\0\0\0\1\0\x12\1\4\0\1\0\0\0\6\0\0\0"), 0 },
    { "a BigTIFF", BYTES("II+\0\x08\0\0\0\1\0\x12\1\4\0\1\0\0\0\6\0\0\0"), 0 },
    { "nothing", "", 0, 0 },
};

/* Copied to a block of exactly its size, so that sanitizers detect overruns. */
static int orientation_of(const char *bytes, size_t length)
{
    unsigned char *copy = malloc(length ? length : 1);
    int orientation;

    if (!copy) {
        abort();
    }
    memcpy(copy, bytes, length);
    orientation = iimg_exif_orientation(copy, length);
    free(copy);
    return orientation;
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is_number(orientation_of(rows[i].bytes, rows[i].length), rows[i].orientation, "%s",
                      rows[i].name);
    }
    return tap_done();
}
