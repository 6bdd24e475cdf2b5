/* heif_movie.c - keep the tracks of an image sequence (ISO/IEC 14496-12, chapter 8). */
#include "worker/metadata/heif.h"

#include <string.h>

#define MAX_DEPTH 8 /* five are used: moov, trak, mdia, minf, stbl */

static const char containers[][5] = { "trak", "mdia", "minf", "stbl", "edts" };
static const char leaves[][5] = { "mvhd", "tkhd", "mdhd", "hdlr", "vmhd", "nmhd", "dinf", "stsd",
                                  "stts", "stss", "stsz", "stz2", "stsc", "stco", "co64", "ctts",
                                  "cslg", "sbgp", "sgpd", "sdtp", "elst", "tref", "trgr" };

static bool is_among(const iimg_box_t *box, const char (*types)[5], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (iimg_box_is(box, types[i])) {
            return true;
        }
    }
    return false;
}

/* Other tracks, such as audio or locations, have samples among those of the pictures. */
static bool is_handler_known(const iimg_walk_t *walk, const iimg_box_t *box)
{
    const unsigned char *kind = walk->data + box->body + 8;

    return box->end - box->body >= 12
           && (memcmp(kind, "pict", 4) == 0 || memcmp(kind, "vide", 4) == 0
               || memcmp(kind, "auxv", 4) == 0);
}

/* Blank the times of creation and change: 32 or 64 bits each, after version and flags. */
static void blank_times(iimg_heif_t *heif, const iimg_box_t *box)
{
    size_t length = box->end - box->body;
    size_t times = length > 0 && heif->walk->data[box->body] == 1 ? 16 : 8;

    if ((iimg_box_is(box, "mvhd") || iimg_box_is(box, "tkhd") || iimg_box_is(box, "mdhd"))
        && length >= 4 + times) {
        iimg_heif_paint(heif, box->body + 4, times, IIMG_PAINT_ZERO);
    }
}

static bool take_leaf(iimg_heif_t *heif, const iimg_box_t *box)
{
    if (iimg_box_is(box, "hdlr") && !is_handler_known(heif->walk, box)) {
        return iimg_walk_wrong(heif->walk, "it has a track that is no picture");
    }
    iimg_heif_paint(heif, box->at, box->end - box->at, IIMG_PAINT_KEEP);
    blank_times(heif, box);
    return true;
}

static bool take_container(iimg_heif_t *heif, const iimg_box_t *container, int depth)
{
    iimg_box_t box;
    bool good = true;

    if (depth > MAX_DEPTH) {
        return iimg_walk_wrong(heif->walk, "its boxes are nested too deeply");
    }
    iimg_heif_paint(heif, container->at, container->body - container->at, IIMG_PAINT_KEEP);
    for (size_t at = container->body; good && iimg_box_next(heif->walk, at, container->end, &box);
         at = box.end) {
        if (is_among(&box, containers, sizeof(containers) / sizeof(containers[0]))) {
            good = take_container(heif, &box, depth + 1);
        }
        else if (is_among(&box, leaves, sizeof(leaves) / sizeof(leaves[0]))) {
            good = take_leaf(heif, &box);
        }
        else {
            iimg_heif_paint(heif, box.at, box.body - box.at, IIMG_PAINT_KEEP);
        }
    }
    return good && !heif->walk->wrong;
}

bool iimg_heif_movie(iimg_heif_t *heif)
{
    return take_container(heif, &heif->movie, 1);
}
