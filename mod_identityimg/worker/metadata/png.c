/* png.c - walk the chunks of a PNG (W3C PNG, third edition, sections 5 and 11). */
#include "worker/metadata/walk.h"

#include <string.h>

enum {
    SIGNATURE = 8,
    FRAME = 12
};                      /* FRAME: length, type and CRC around a chunk's data */
#define MOST 0x7fffffff /* bytes of a chunk's data */

typedef struct chunk_t {
    size_t at;
    const unsigned char *type, *data;
    size_t length; /* of the data */
} chunk_t;

static const char kept[][5] = { "IHDR", "PLTE", "tRNS", "IDAT", "IEND", "cHRM",
                                "gAMA", "iCCP", "sRGB", "cICP", "mDCV", "cLLI",
                                "sBIT", "pHYs", "acTL", "fcTL", "fdAT" };

/* The last ones are for animations. They are dropped when the end is missing: the number of frames
 * would be wrong. */
enum {
    COUNT_KEPT = sizeof(kept) / sizeof(kept[0]),
    COUNT_ANIMATION = 3
};

static bool is_type(const chunk_t *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

/* Whether a type is four letters. */
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

/* @return false, without changing `chunk`, when the next chunk is incomplete */
static bool next_chunk(iimg_walk_t *walk, chunk_t *chunk)
{
    size_t at = chunk->data ? chunk->at + FRAME + chunk->length : SIGNATURE;
    const unsigned char *p = walk->data + at;

    if (!iimg_within(at, FRAME, walk->length)) {
        return iimg_walk_wrong(walk, "it ends before its last chunk");
    }
    if (!is_name(p + 4)) {
        return iimg_walk_wrong(walk, "it has a chunk without a name");
    }
    if (!iimg_within(at + FRAME, iimg_big32(p), walk->length)) {
        return iimg_walk_wrong(walk, "a chunk reaches beyond the end");
    }
    *chunk = (chunk_t){ at, p + 4, p + 8, iimg_big32(p) };
    return true;
}

/* Whether the file ends within a chunk of pixels after `chunk`. @param cut the present part */
static bool is_cut_within_pixels(const iimg_walk_t *walk, const chunk_t *chunk, chunk_t *cut)
{
    size_t at = chunk->data ? chunk->at + FRAME + chunk->length : SIGNATURE, there;
    const unsigned char *p = walk->data + at;

    if (!iimg_within(at, 9, walk->length)) {
        return false;
    }
    there = walk->length - at - 8;
    *cut = (chunk_t){ at, p + 4, p + 8, iimg_big32(p) };
    if (!is_type(cut, "IDAT") || cut->length == 0 || cut->length > MOST
        || (there >= 4 && cut->length <= there - 4)) {
        return false;
    }
    cut->length = cut->length < there ? cut->length : there;
    return true;
}

/* Scan all chunks before any is written. The orientation is the first valid one, also after the
 * pixels, as in libpng. A malformed chunk after pixels ends the picture. */
static void scan_chunks(iimg_walk_t *walk)
{
    chunk_t chunk = { 0, NULL, NULL, 0 }, cut;
    bool has_pixels = false;
    int orientation = 0;

    while (next_chunk(walk, &chunk) && !is_type(&chunk, "IEND")) {
        has_pixels = has_pixels || is_type(&chunk, "IDAT");
        if (orientation == 0 && is_type(&chunk, "eXIf")) {
            orientation = iimg_exif_orientation(chunk.data, chunk.length);
        }
    }
    if (walk->wrong && (has_pixels || is_cut_within_pixels(walk, &chunk, &cut))) {
        iimg_walk_end_early(walk);
    }
    walk->out->orientation = orientation ? orientation : 1;
}

/* Four bits at a time: a truncated chunk may have megabytes. */
static uint32_t crc(const unsigned char *bytes, size_t length)
{
    uint32_t sum = 0xffffffff, table[16];

    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (int bit = 0; bit < 4; bit++) {
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
        }
    }
    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        sum = sum >> 4 ^ table[sum & 15];
        sum = sum >> 4 ^ table[sum & 15];
    }
    return ~sum;
}

static void put_big32(unsigned char *to, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (unsigned char)(number >> (24 - 8 * i));
    }
}

static void put_orientation(iimg_walk_t *walk)
{
    unsigned char chunk[FRAME + IIMG_EXIF_SIZE] = { 0, 0, 0, IIMG_EXIF_SIZE, 'e', 'X', 'I', 'f' };

    if (walk->out->orientation == 1) {
        return;
    }
    iimg_exif_write(chunk + 8, walk->out->orientation);
    put_big32(chunk + 8 + IIMG_EXIF_SIZE, crc(chunk + 4, 4 + IIMG_EXIF_SIZE));
    iimg_walk_insert(walk, chunk, sizeof(chunk));
}

/* Write the present part of a chunk of pixels, with its length and CRC. The decoder detects missing
 * pixels. */
static void keep_cut(iimg_walk_t *walk, const chunk_t *cut)
{
    unsigned char length[4], sum[4];

    put_big32(length, (uint32_t)cut->length);
    put_big32(sum, crc(cut->type, 4 + cut->length));
    iimg_walk_insert(walk, length, sizeof(length));
    iimg_walk_keep(walk, cut->at + 4, 4 + cut->length);
    iimg_walk_insert(walk, sum, sizeof(sum));
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

/* iCCP: a name of up to 79 bytes, NUL, the method, the compressed profile. */
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

/* cICP is used in full range only, and its matrix must be RGB's (section 11.3.2.6). */
static void take_code_points(iimg_walk_t *walk, const unsigned char *points)
{
    iimg_color_t *color = &walk->out->color;

    if (points[2] != 0) {
        iimg_walk_wrong(walk, "its cICP chunk has a matrix other than RGB");
    }
    if (points[3] == 1) {
        color->has_cicp = true;
        color->primaries = points[0];
        color->transfer = points[1];
    }
}

static void take_chromaticities(iimg_color_t *color, const unsigned char *numbers)
{
    color->has_chromaticities = true;
    for (int i = 0; i < 8; i++) {
        color->chromaticities[i] = iimg_big32(numbers + 4 * (size_t)i);
    }
}

/* Read a chunk before the pixels. The first of each kind is used. */
static void take_color(iimg_walk_t *walk, const chunk_t *chunk)
{
    enum {
        LIGHT = 10000
    }; /* chunks state it in 10,000ths of a cd/m2 */
    iimg_color_t *color = &walk->out->color;

    if (is_type(chunk, "cICP") && chunk->length == 4 && !color->has_cicp) {
        take_code_points(walk, chunk->data);
    }
    else if (is_type(chunk, "sRGB") && chunk->length == 1) {
        color->has_srgb = true;
    }
    else if (is_type(chunk, "gAMA") && chunk->length == 4 && color->gamma == 0) {
        color->gamma = iimg_big32(chunk->data);
    }
    else if (is_type(chunk, "cHRM") && chunk->length == 32 && !color->has_chromaticities) {
        take_chromaticities(color, chunk->data);
    }
    else if (is_type(chunk, "cLLI") && chunk->length == 8 && iimg_big32(chunk->data) >= LIGHT) {
        color->most_light = iimg_big32(chunk->data) / LIGHT;
    }
    else if (is_type(chunk, "mDCV") && chunk->length == 24 && color->most_light == 0) {
        color->most_light = iimg_big32(chunk->data + 16) / LIGHT;
    }
}

void iimg_metadata_png(iimg_walk_t *walk)
{
    chunk_t chunk = { 0, NULL, NULL, 0 }, cut;
    bool has_pixels = false, has_next = true;

    walk->out->is_lossless = true;
    scan_chunks(walk);
    if (walk->wrong || !take_header(walk, &chunk)) {
        return;
    }
    while (!walk->wrong && (has_next = next_chunk(walk, &chunk)) && take_chunk(walk, &chunk)
           && !is_type(&chunk, "IEND")) {
        has_pixels = has_pixels || is_type(&chunk, "IDAT");
        if (!has_pixels) {
            take_color(walk, &chunk);
        }
    }
    if (!has_next && is_cut_within_pixels(walk, &chunk, &cut)) {
        keep_cut(walk, &cut);
        has_pixels = true;
    }
    if (!has_next && has_pixels) {
        iimg_walk_end_early(walk);
        iimg_walk_insert(walk, "\0\0\0\0IEND\xae\x42\x60\x82", FRAME);
    }
    if (!has_pixels) {
        iimg_walk_wrong(walk, "it has no pixels");
    }
}
