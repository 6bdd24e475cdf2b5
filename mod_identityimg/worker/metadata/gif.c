/* gif.c - walk the blocks of a GIF (GIF89a specification). */
#include "worker/metadata/walk.h"

#include <string.h>

enum {
    EXTENSION = 0x21,
    IMAGE = 0x2c,
    TRAILER = 0x3b,
    CONTROL = 0xf9,
    APPLICATION = 0xff
};

static size_t table_size(unsigned char packed)
{
    return packed & 0x80 ? (size_t)3 << ((packed & 7) + 1) : 0;
}

/* @return the offset after a series of blocks and its empty block; 0 beyond the end */
static size_t blocks_end(const iimg_walk_t *walk, size_t at)
{
    while (at < walk->length) {
        if (walk->data[at] == 0) {
            return at + 1;
        }
        at += 1 + (size_t)walk->data[at];
    }
    return 0;
}

static void grow_side(uint32_t *side, uint32_t needed)
{
    *side = *side < needed ? needed : *side;
}

/* @return the offset after the image; 0 when it is malformed */
static size_t image_end(const iimg_walk_t *walk, size_t at)
{
    const unsigned char *p = walk->data + at;

    return iimg_within(at, 11, walk->length) && iimg_within(at + 11, table_size(p[9]), walk->length)
               ? blocks_end(walk, at + 11 + table_size(p[9]))
               : 0;
}

/* @return as image_end. A frame larger than the screen enlarges it, as decoders do. */
static size_t take_image(iimg_walk_t *walk, size_t at)
{
    const unsigned char *p = walk->data + at;
    size_t end = image_end(walk, at);

    if (end > 0) {
        grow_side(&walk->out->width, iimg_little16(p + 1) + iimg_little16(p + 5));
        grow_side(&walk->out->height, iimg_little16(p + 3) + iimg_little16(p + 7));
        iimg_walk_keep(walk, at, end - at);
    }
    return end;
}

/* Whether the blocks are loop counts and buffer sizes only, without room for text. */
static bool is_looping(const unsigned char *blocks)
{
    while ((blocks[0] == 3 && blocks[1] == 1) || (blocks[0] == 5 && blocks[1] == 2)) {
        blocks += 1 + blocks[0];
    }
    return blocks[0] == 0;
}

/* Keep an application extension with a loop count or a color profile. */
static void take_application(iimg_walk_t *walk, size_t at, size_t end)
{
    const unsigned char *p = walk->data + at;

    if (p[2] != 11) {
        return;
    }
    if (memcmp(p + 3, "ICCRGBG1012", 11) == 0) {
        walk->out->icc_length += end - at - 14;
        iimg_walk_keep(walk, at, end - at);
    }
    else if ((memcmp(p + 3, "NETSCAPE2.0", 11) == 0 || memcmp(p + 3, "ANIMEXTS1.0", 11) == 0)
             && is_looping(p + 14)) {
        iimg_walk_keep(walk, at, end - at);
    }
}

/* A graphic control extension, which is kept if its picture follows. */
typedef struct control_t {
    size_t at, end; /* end is 0: none */
} control_t;

/* Keep a control with its first block only. */
static void keep_control(iimg_walk_t *walk, control_t *control)
{
    if (control->end > 0) {
        iimg_walk_keep(walk, control->at, 7);
        iimg_walk_keep(walk, control->end - 1, 1);
    }
    control->end = 0;
}

/* Comments, text and unknown extensions are dropped. */
static size_t take_extension(iimg_walk_t *walk, size_t at, control_t *control)
{
    const unsigned char *p = walk->data + at;
    size_t end = blocks_end(walk, at + 2);

    if (end == 0) {
        return 0;
    }
    if (p[1] == CONTROL && p[2] == 4) {
        *control = (control_t){ at, end };
    }
    else if (p[1] == APPLICATION) {
        keep_control(walk, control);
        take_application(walk, at, end);
    }
    return end;
}

/* A byte that starts no block ends the picture, as in browsers, and so does a truncated block after
 * the first picture. A trailer is appended then. */
static void take_blocks(iimg_walk_t *walk, size_t at)
{
    control_t control = { 0, 0 };
    int pictures = 0;

    while (at > 0 && at < walk->length
           && (walk->data[at] == EXTENSION || walk->data[at] == IMAGE)) {
        bool is_image = walk->data[at] == IMAGE;

        if (pictures == 1) {
            iimg_walk_end_first_frame(walk);
        }
        if (is_image && image_end(walk, at) > 0) {
            keep_control(walk, &control);
            pictures++;
        }
        at = is_image ? take_image(walk, at) : take_extension(walk, at, &control);
    }
    if (pictures == 0) {
        iimg_walk_wrong(walk, at == 0 ? "a block reaches beyond the end" : "it has no picture");
    }
    if (at > 0 && at < walk->length && walk->data[at] == TRAILER) {
        iimg_walk_keep(walk, at, 1);
        return;
    }
    walk->out->unended = true;
    iimg_walk_fill(walk, TRAILER, 1);
}

void iimg_metadata_gif(iimg_walk_t *walk)
{
    const unsigned char *p = walk->data;
    size_t head = walk->length < 13 ? 0 : 13 + table_size(p[10]);

    if (head == 0 || head > walk->length) {
        iimg_walk_wrong(walk, "its header is cut short");
        return;
    }
    walk->out->is_lossless = true;
    walk->out->width = iimg_little16(p + 6);
    walk->out->height = iimg_little16(p + 8);
    iimg_walk_keep(walk, 0, head);
    take_blocks(walk, head);
}
