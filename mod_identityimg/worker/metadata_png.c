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

/* The last ones animate: they go from a picture that has lost its end, whose count of frames would be
 * wrong. */
enum { COUNT_KEPT = sizeof(kept) / sizeof(kept[0]), COUNT_ANIMATION = 3 };

static bool is_type(const chunk_t *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

/* Four letters. */
static bool is_name(const unsigned char *type)
{
    for (int i = 0; i < 4; i++) {
        unsigned char letter = type[i] & 0xdf;

        if (letter < 'A' || letter > 'Z') {
            return false;
        }
    }
    return true;
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
    if (!is_name(chunk->type)) {
        return iimg_walk_wrong(walk, "it has a chunk without a name");
    }
    return iimg_within(at + FRAME, chunk->length, walk->length)
               ? true : iimg_walk_wrong(walk, "a chunk reaches beyond the end");
}

/* Looks through all chunks before any is kept. The orientation is, as for libpng, the first that is
 * well-formed; also behind the pixels. What is malformed behind some pixels ends the picture. */
static void look_through(iimg_walk_t *walk)
{
    chunk_t chunk = { 0, NULL, NULL, 0 };
    bool has_pixels = false;
    int orientation = 0;

    while (next_chunk(walk, &chunk) && !is_type(&chunk, "IEND")) {
        has_pixels = has_pixels || is_type(&chunk, "IDAT");
        if (orientation == 0 && is_type(&chunk, "eXIf")) {
            orientation = iimg_exif_orientation(chunk.data, chunk.length);
        }
    }
    if (walk->wrong && has_pixels) {
        iimg_walk_end_early(walk);
    }
    walk->out->orientation = orientation ? orientation : 1;
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
    for (size_t i = 0; i < COUNT_KEPT - (walk->out->unended ? COUNT_ANIMATION : 0); i++) {
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
    bool has_pixels = false, has_next = true;

    look_through(walk);
    if (walk->wrong || !take_header(walk, &chunk)) {
        return;
    }
    while (!walk->wrong && (has_next = next_chunk(walk, &chunk)) && take_chunk(walk, &chunk)
           && !is_type(&chunk, "IEND")) {
        has_pixels = has_pixels || is_type(&chunk, "IDAT");
    }
    if (!has_next && has_pixels) {
        iimg_walk_end_early(walk);
        iimg_walk_insert(walk, "\0\0\0\0IEND\xae\x42\x60\x82", FRAME);
    }
    if (!has_pixels) {
        iimg_walk_wrong(walk, "it has no pixels");
    }
}
