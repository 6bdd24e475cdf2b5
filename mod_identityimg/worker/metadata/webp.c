/* webp.c - walk the chunks of a WebP (RFC 9649). */
#include "worker/metadata/walk.h"

#include <string.h>

enum {
    HAS_EXIF = 0x08,
    HAS_XMP = 0x04,
    HEAD = 8,
    FRAME_HEAD = 16
};

typedef struct chunk_t {
    size_t at;
    const unsigned char *type, *data;
    size_t length; /* of the data */
    size_t size;   /* with type, length and padding */
} chunk_t;

typedef struct webp_t {
    iimg_walk_t *walk;
    size_t end;       /* of the RIFF, or of the file */
    bool extended;    /* begins with VP8X */
    bool icc, pixels; /* seen */
    bool damaged;     /* the rest is truncated or malformed */
    int frames;
    size_t written;
} webp_t;

static bool is_type(const chunk_t *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

static bool is_pixels(const chunk_t *chunk)
{
    return is_type(chunk, "VP8 ") || is_type(chunk, "VP8L");
}

/* @return false at the end, and when a chunk reaches beyond it */
static bool next_chunk(iimg_walk_t *walk, size_t at, size_t end, chunk_t *chunk)
{
    if (!iimg_within(at, HEAD, end)) {
        return false;
    }
    chunk->at = at;
    chunk->type = walk->data + at;
    chunk->data = chunk->type + HEAD;
    chunk->length = iimg_little32(chunk->type + 4);
    if (!iimg_within(at + HEAD, chunk->length, end)) {
        return iimg_walk_wrong(walk, "a chunk reaches beyond the end");
    }
    chunk->size = HEAD + chunk->length;
    chunk->size += chunk->length % 2 && chunk->size < end - at;
    return true;
}

/* The first frame decides: derivatives show no other. */
static void note_pixels(webp_t *webp, const chunk_t *chunk)
{
    if (is_pixels(chunk) && !webp->pixels) {
        webp->pixels = true;
        webp->walk->out->is_lossless = is_type(chunk, "VP8L");
    }
}

static void keep_chunk(webp_t *webp, const chunk_t *chunk)
{
    bool lacks_pad = chunk->size % 2;

    iimg_walk_keep(webp->walk, chunk->at, chunk->size);
    iimg_walk_fill(webp->walk, 0, lacks_pad);
    webp->written += chunk->size + lacks_pad;
}

/* Some writers prepend JPEG's "Exif\0\0". */
static int chunk_orientation(const chunk_t *chunk)
{
    size_t skip = chunk->length >= 6 && memcmp(chunk->data, "Exif\0\0", 6) == 0 ? 6 : 0;

    return iimg_exif_orientation(chunk->data + skip, chunk->length - skip);
}

static int find_orientation(webp_t *webp)
{
    size_t at = 12;
    chunk_t chunk;

    while (next_chunk(webp->walk, at, webp->end, &chunk)) {
        int orientation = is_type(&chunk, "EXIF") ? chunk_orientation(&chunk) : 0;

        if (orientation) {
            return orientation;
        }
        at += chunk.size;
    }
    webp->walk->wrong = NULL; /* errors are reported by the second walk */
    return 1;
}

static void read_extended_size(iimg_metadata_t *out, const chunk_t *chunk)
{
    out->width = iimg_little24(chunk->data + 4) + 1;
    out->height = iimg_little24(chunk->data + 7) + 1;
}

static void read_plain_size(iimg_metadata_t *out, const chunk_t *chunk)
{
    const unsigned char *p = chunk->data;

    if (is_type(chunk, "VP8L") && chunk->length >= 5 && p[0] == 0x2f) {
        out->width = (iimg_little16(p + 1) & 0x3fff) + 1;
        out->height = (iimg_little24(p + 2) >> 6 & 0x3fff) + 1;
    }
    if (is_type(chunk, "VP8 ") && chunk->length >= 10 && memcmp(p + 3, "\x9d\x01\x2a", 3) == 0) {
        out->width = iimg_little16(p + 6) & 0x3fff;
        out->height = iimg_little16(p + 8) & 0x3fff;
    }
}

/* Keep VP8X, without the flags of metadata. */
static void take_extended(webp_t *webp, const chunk_t *chunk)
{
    iimg_walk_t *walk = webp->walk;
    unsigned char flags = chunk->data[0] & ~(HAS_EXIF | HAS_XMP);

    walk->out->orientation = find_orientation(webp);
    flags |= walk->out->orientation > 1 ? HAS_EXIF : 0;
    read_extended_size(walk->out, chunk);
    iimg_walk_keep(walk, chunk->at, HEAD);
    iimg_walk_insert(walk, &flags, 1);
    iimg_walk_keep(walk, chunk->at + HEAD + 1, chunk->length - 1);
    webp->written += HEAD + chunk->length;
}

/* Whether all chunks of a frame are complete. */
static bool is_frame_sound(iimg_walk_t *walk, const chunk_t *frame)
{
    size_t at = frame->at + HEAD + FRAME_HEAD, end = frame->at + HEAD + frame->length;
    chunk_t chunk;

    if (frame->length < FRAME_HEAD) {
        return iimg_walk_wrong(walk, "a frame is cut short");
    }
    while (next_chunk(walk, at, end, &chunk)) {
        at += chunk.size;
    }
    return !walk->wrong;
}

/* Keep a frame with its length: chunks that are not part of the picture are blanked. */
static void take_frame(webp_t *webp, const chunk_t *frame)
{
    iimg_walk_t *walk = webp->walk;
    size_t at = frame->at + HEAD + FRAME_HEAD, end = frame->at + HEAD + frame->length;
    chunk_t chunk;

    if (!is_frame_sound(walk, frame)) {
        webp->damaged = true;
        return;
    }
    if (webp->frames++ == 1) {
        iimg_walk_end_first_frame(walk);
    }
    iimg_walk_keep(walk, frame->at, HEAD + FRAME_HEAD);
    while (next_chunk(walk, at, end, &chunk)) {
        bool is_kept = is_pixels(&chunk) || is_type(&chunk, "ALPH");

        note_pixels(webp, &chunk);
        iimg_walk_keep(walk, at, is_kept ? chunk.size : HEAD);
        iimg_walk_fill(walk, 0, is_kept ? 0 : chunk.size - HEAD);
        at += chunk.size;
    }
    iimg_walk_fill(walk, 0, end - at + frame->length % 2);
    webp->written += HEAD + frame->length + frame->length % 2;
}

static void take_chunk(webp_t *webp, const chunk_t *chunk)
{
    if (is_type(chunk, "ANMF")) {
        take_frame(webp, chunk);
    }
    else if (is_pixels(chunk) || is_type(chunk, "ALPH") || is_type(chunk, "ANIM")) {
        note_pixels(webp, chunk);
        keep_chunk(webp, chunk);
    }
    else if (is_type(chunk, "ICCP") && !webp->icc) {
        webp->icc = true;
        webp->walk->out->icc_length = chunk->length;
        keep_chunk(webp, chunk);
    }
}

/* The first chunk decides on the format: decoders read nothing after plain pixels. */
static bool take_first(webp_t *webp, chunk_t *chunk)
{
    if (!next_chunk(webp->walk, 12, webp->end, chunk)) {
        return iimg_walk_wrong(webp->walk, "it has no chunk");
    }
    if (is_type(chunk, "VP8X") && chunk->length == 10) {
        webp->extended = true;
        take_extended(webp, chunk);
        return true;
    }
    if (is_pixels(chunk)) {
        read_plain_size(webp->walk->out, chunk);
        take_chunk(webp, chunk);
        return true;
    }
    return iimg_walk_wrong(webp->walk, "it does not begin with its header");
}

static void put_orientation(webp_t *webp)
{
    unsigned char chunk[HEAD + IIMG_EXIF_SIZE] = { 'E', 'X', 'I', 'F', IIMG_EXIF_SIZE };
    int orientation = webp->walk->out->orientation;

    if (orientation > 1) {
        iimg_exif_write(chunk + HEAD, orientation);
        iimg_walk_insert(webp->walk, chunk, sizeof(chunk));
        webp->written += sizeof(chunk);
    }
}

/* An error after pixels ends the picture. */
static void take_rest(webp_t *webp, chunk_t *chunk)
{
    iimg_walk_t *walk = webp->walk;
    size_t at = chunk->at + chunk->size;

    while (webp->extended && !walk->wrong) {
        if (!next_chunk(walk, at, webp->end, chunk)) {
            webp->damaged = walk->wrong != NULL;
            break;
        }
        take_chunk(webp, chunk);
        at += chunk->size;
    }
    if (webp->damaged && webp->pixels) {
        iimg_walk_end_early(walk);
    }
    put_orientation(webp);
    if (!webp->pixels) {
        iimg_walk_wrong(walk, "it has no pixels");
    }
}

/* @return the end according to the RIFF header; the end of the file if the former is beyond it or
 * within a chunk */
static size_t find_end(iimg_walk_t *walk)
{
    size_t riff = 8 + (size_t)iimg_little32(walk->data + 4), at = 12;
    chunk_t chunk;

    while (at < riff && next_chunk(walk, at, walk->length, &chunk)) {
        at += chunk.size;
    }
    walk->wrong = NULL;
    return riff < walk->length && at <= riff + 1 ? riff : walk->length;
}

void iimg_metadata_webp(iimg_walk_t *walk)
{
    webp_t webp = { .walk = walk, .written = 4 }; /* "WEBP" */
    unsigned char *size;
    chunk_t chunk;

    if (walk->length < 12) {
        iimg_walk_wrong(walk, "its header is cut short");
        return;
    }
    webp.end = find_end(walk);
    iimg_walk_keep(walk, 0, 4);
    size = iimg_walk_insert(walk, "\0\0\0\0", 4);
    iimg_walk_keep(walk, 8, 4);
    if (take_first(&webp, &chunk)) {
        take_rest(&webp, &chunk);
    }
    for (int i = 0; i < 4; i++) {
        size[i] = (unsigned char)(webp.written >> 8 * i);
    }
}
