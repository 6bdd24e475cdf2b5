/* metadata_heif_properties.c - what the items of a HEIC or AVIF are like: ipco, ipma. */
#include "worker/metadata_heif.h"

#include <string.h>

/* Properties that make the picture what it is; others hold names, descriptions, times, cameras. */
static const char properties[][5] = {
    "ispe", "pixi", "colr", "irot", "imir", "clap", "pasp", "auxC", "hvcC", "av1C", "avcC", "jpgC",
    "lhvC", "lsel", "a1op", "a1lx", "rloc", "tols", "clli", "mdcv", "oinf"
};

static void count_profile(iimg_metadata_t *out, const unsigned char *p, size_t length)
{
    bool is_profile = length > 4 && (memcmp(p, "prof", 4) == 0 || memcmp(p, "rICC", 4) == 0);

    if (is_profile && length - 4 > out->icc_length) {
        out->icc_length = length - 4;
    }
}

static void take_properties(iimg_heif_t *heif, const iimg_box_t *container)
{
    iimg_box_t box;

    for (size_t at = container->body;
         iimg_box_next(heif->walk, at, container->end, &box); at = box.end) {
        iimg_heif_paint(heif, box.at, box.body - box.at, IIMG_PAINT_KEEP);
        for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
            if (iimg_box_is(&box, properties[i])) {
                iimg_heif_paint(heif, box.body, box.end - box.body, IIMG_PAINT_KEEP);
            }
        }
        if (iimg_box_is(&box, "colr")) {
            count_profile(heif->walk->out, heif->walk->data + box.body, box.end - box.body);
        }
    }
}

/* The size is that of the first ispe; its index counts from 1. @return whether it was one */
static bool read_size(const iimg_heif_t *heif, const iimg_box_t *container, uint64_t index)
{
    const unsigned char *p;
    size_t at = container->body;
    iimg_box_t box;

    for (uint64_t i = 0; i < index; i++) {
        if (!iimg_box_next(heif->walk, at, container->end, &box)) {
            return false;
        }
        at = box.end;
    }
    if (index == 0 || !iimg_box_is(&box, "ispe") || box.end - box.body < 12) {
        return false;
    }
    p = heif->walk->data + box.body;
    heif->walk->out->width = iimg_big32(p + 4);
    heif->walk->out->height = iimg_big32(p + 8);
    return true;
}

/* Go to what an ipma box says of an item. @return how many properties it has */
static unsigned find_associations(iimg_reader_t *reader, uint32_t id, unsigned *width)
{
    unsigned version = (unsigned)iimg_take(reader, 1);
    uint64_t count;

    *width = iimg_take(reader, 3) & 1 ? 2 : 1;
    count = iimg_take(reader, 4);
    for (uint64_t i = 0; i < count && !reader->cut; i++) {
        bool is_wanted = iimg_take(reader, version < 1 ? 2 : 4) == id;
        unsigned properties_of = (unsigned)iimg_take(reader, 1);

        if (is_wanted) {
            return properties_of;
        }
        for (unsigned j = 0; j < properties_of; j++) {
            iimg_take(reader, *width);
        }
    }
    return 0;
}

/* @return whether the box describes the primary item; then it is the last that is asked */
static bool find_size(const iimg_heif_t *heif, const iimg_box_t *container, const iimg_box_t *ipma)
{
    iimg_reader_t primary = { heif->walk->data, heif->primary.body, heif->primary.end, false };
    iimg_reader_t reader = { heif->walk->data, ipma->body, ipma->end, false };
    unsigned width, count;
    uint32_t id;

    id = (uint32_t)(iimg_take(&primary, 4) >> 24 == 0 ? iimg_take(&primary, 2)
                                                      : iimg_take(&primary, 4));
    count = find_associations(&reader, id, &width);
    for (unsigned i = 0; i < count; i++) {
        uint64_t index = iimg_take(&reader, width) & (width == 2 ? 0x7fff : 0x7f);

        if (read_size(heif, container, index)) {
            break;
        }
    }
    return count > 0;
}

void iimg_heif_properties(iimg_heif_t *heif)
{
    const iimg_box_t *all = &heif->properties;
    iimg_box_t container = { 0, 0, 0, NULL }, box;
    bool found = false;

    for (size_t at = all->body; iimg_box_next(heif->walk, at, all->end, &box); at = box.end) {
        bool is_whole = iimg_box_is(&box, "ipma");

        iimg_heif_paint(heif, box.at, (is_whole ? box.end : box.body) - box.at, IIMG_PAINT_KEEP);
        if (iimg_box_is(&box, "ipco") && !container.type) {
            container = box;
            take_properties(heif, &box);
        }
        if (is_whole && container.type && heif->primary.type && !found) {
            found = find_size(heif, &container, &box);
        }
    }
}
