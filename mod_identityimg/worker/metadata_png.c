/* metadata_png.c - walks the chunks of a PNG (W3C PNG, third edition, sections 5 and 11). */
#include "worker/metadata_walk.h"

#include <string.h>

enum { SIGNATURE = 8, FRAME = 12 };     /* FRAME: length, type and CRC around a chunk's data */

typedef struct chunk_t {
    size_t at;
    const unsigned char *type, *data;
    size_t length;                      /* of the data */
} chunk_t;

static const char kept[][5] = {
    "IHDR", "PLTE", "tRNS", "IDAT", "IEND", "cHRM", "gAMA", "iCCP", "sRGB", "cICP", "sBIT", "pHYs",
    "acTL", "fcTL", "fdAT"
};

static bool is_type(const chunk_t *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

static bool next_chunk(iimg_walk_t *walk, chunk_t *chunk)
{
    size_t at = chunk->data ? chunk->at + FRAME + chunk->length : SIGNATURE;
    const unsigned char *p = walk->data + at;

    if (!iimg_within(at, FRAME, walk->length)) {
        return iimg_walk_wrong(walk, "it ends before its last chunk");
    }
    chunk->at = at;
    chunk->length = iimg_big32(p);
    chunk->type = p + 4;
    chunk->data = p + 8;
    return iimg_within(at + FRAME, chunk->length, walk->length)
               ? true : iimg_walk_wrong(walk, "a chunk reaches beyond the end");
}

/* As libpng, the first that is well-formed; also behind the pixels. */
static int find_orientation(iimg_walk_t *walk)
{
    chunk_t chunk = { 0, NULL, NULL, 0 };

    while (next_chunk(walk, &chunk) && !is_type(&chunk, "IEND")) {
        int orientation = is_type(&chunk, "eXIf")
                              ? iimg_exif_orientation(chunk.data, chunk.length) : 0;

        if (orientation) {
            return orientation;
        }
    }
    return 1;
}

static uint32_t crc(const unsigned char *bytes, size_t length)
{
    uint32_t sum = 0xffffffff;

    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
        }
    }
    return ~sum;
}

static void put_orientation(iimg_walk_t *walk)
{
    unsigned char chunk[FRAME + IIMG_EXIF_SIZE] = { 0, 0, 0, IIMG_EXIF_SIZE, 'e', 'X', 'I', 'f' };
    uint32_t sum;

    if (walk->out->orientation == 1) {
        return;
    }
    iimg_exif_write(chunk + 8, walk->out->orientation);
    sum = crc(chunk + 4, 4 + IIMG_EXIF_SIZE);
    for (int i = 0; i < 4; i++) {
        chunk[8 + IIMG_EXIF_SIZE + i] = (unsigned char)(sum >> (24 - 8 * i));
    }
    iimg_walk_insert(walk, chunk, sizeof(chunk));
}

static bool take_header(iimg_walk_t *walk, chunk_t *chunk)
{
    if (!next_chunk(walk, chunk)) {
        return false;
    }
    if (!is_type(chunk, "IHDR") || chunk->length != 13) {
        return iimg_walk_wrong(walk, "it does not begin with its header");
    }
    walk->out->width = iimg_big32(chunk->data);
    walk->out->height = iimg_big32(chunk->data + 4);
    walk->out->progressive = chunk->data[12] != 0;
    iimg_walk_keep(walk, 0, SIGNATURE + FRAME + 13);
    put_orientation(walk);
    return true;
}

/* A name of up to 79 bytes, its NUL, the method, the compressed profile. */
static void count_profile(iimg_walk_t *walk, const chunk_t *chunk)
{
    const unsigned char *end = memchr(chunk->data, 0, chunk->length < 80 ? chunk->length : 80);
    size_t head = end ? (size_t)(end - chunk->data) + 2 : 0;

    walk->out->icc_length += chunk->length - (head < chunk->length ? head : 0);
}

static bool take_chunk(iimg_walk_t *walk, const chunk_t *chunk)
{
    bool is_critical = (chunk->type[0] & 0x20) == 0;

    if (is_type(chunk, "IHDR")) {
        return iimg_walk_wrong(walk, "it has more than one header");
    }
    if (is_type(chunk, "iCCP")) {
        count_profile(walk, chunk);
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (is_type(chunk, kept[i])) {
            iimg_walk_keep(walk, chunk->at, FRAME + chunk->length);
            return true;
        }
    }
    return is_critical ? iimg_walk_wrong(walk, "it has a critical chunk that is unknown") : true;
}

void iimg_metadata_png(iimg_walk_t *walk)
{
    chunk_t chunk = { 0, NULL, NULL, 0 };
    bool has_pixels = false;

    walk->out->orientation = find_orientation(walk);
    if (walk->wrong || !take_header(walk, &chunk)) {
        return;
    }
    while (next_chunk(walk, &chunk) && take_chunk(walk, &chunk) && !is_type(&chunk, "IEND")) {
        has_pixels = has_pixels || is_type(&chunk, "IDAT");
    }
    if (!has_pixels) {
        iimg_walk_wrong(walk, "it has no pixels");
    }
}
