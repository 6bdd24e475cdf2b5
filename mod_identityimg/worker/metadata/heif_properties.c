/* heif_properties.c - keep the properties of a HEIC or AVIF (ipco, ipma), read size and colors. */
#include "worker/metadata/heif.h"

#include <string.h>

/* Properties that affect pixels. Others hold names, descriptions, times, cameras. */
static const char properties[][5] = { "ispe", "pixi", "colr", "irot", "imir", "clap", "pasp",
                                      "auxC", "hvcC", "av1C", "avcC", "jpgC", "lhvC", "lsel",
                                      "a1op", "a1lx", "rloc", "tols", "clli", "mdcv", "oinf" };

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

    for (size_t at = container->body; iimg_box_next(heif->walk, at, container->end, &box);
         at = box.end) {
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

/* Find a property by its index from 1. @return false when there is none */
static bool find_property(const iimg_heif_t *heif, const iimg_box_t *container, uint64_t index,
                          iimg_box_t *box)
{
    size_t at = container->body;

    for (uint64_t i = 0; i < index; i++) {
        if (!iimg_box_next(heif->walk, at, container->end, box)) {
            return false;
        }
        at = box->end;
    }
    return index > 0;
}

/* Code points of ITU-T H.273 (ISO/IEC 14496-12, section 12.1.5); matrix 0 means RGB. */
static void read_code_points(iimg_metadata_t *out, const unsigned char *p)
{
    out->color.has_cicp = out->color.is_video = true;
    out->color.primaries = (unsigned char)iimg_big16(p + 4);
    out->color.transfer = (unsigned char)iimg_big16(p + 6);
    out->is_lossless = iimg_big16(p + 8) == 0;
}

/* Read a property of the primary item. The first of each kind is used. */
static void read_property(iimg_metadata_t *out, const iimg_box_t *box, const unsigned char *p)
{
    enum {
        LIGHT = 10000
    }; /* mdcv states it in 10,000ths of a cd/m2 */
    size_t length = box->end - box->body;

    if (iimg_box_is(box, "ispe") && length >= 12 && out->width == 0) {
        out->width = iimg_big32(p + 4);
        out->height = iimg_big32(p + 8);
    }
    else if (iimg_box_is(box, "colr") && length >= 10 && memcmp(p, "nclx", 4) == 0
             && !out->color.has_cicp) {
        read_code_points(out, p);
    }
    else if (iimg_box_is(box, "clli") && length >= 4 && iimg_big16(p) > 0) {
        out->color.most_light = iimg_big16(p);
    }
    else if (iimg_box_is(box, "mdcv") && length >= 24 && out->color.most_light == 0) {
        out->color.most_light = iimg_big32(p + 16) / LIGHT;
    }
}

/* Find the entry of an item in an ipma box. @return the number of its properties */
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

static uint32_t primary_id(const iimg_heif_t *heif)
{
    iimg_reader_t reader = { heif->walk->data, heif->primary.body, heif->primary.end, false };
    unsigned version = (unsigned)(iimg_take(&reader, 4) >> 24);

    return (uint32_t)iimg_take(&reader, version == 0 ? 2 : 4);
}

/* @return whether the box describes the primary item, which ends the search */
static bool read_primary(const iimg_heif_t *heif, const iimg_box_t *container,
                         const iimg_box_t *ipma)
{
    iimg_reader_t reader = { heif->walk->data, ipma->body, ipma->end, false };
    unsigned width, count = find_associations(&reader, primary_id(heif), &width);

    for (unsigned i = 0; i < count; i++) {
        uint64_t index = iimg_take(&reader, width) & (width == 2 ? 0x7fff : 0x7f);
        iimg_box_t box;

        if (find_property(heif, container, index, &box)) {
            read_property(heif->walk->out, &box, heif->walk->data + box.body);
        }
    }
    return count > 0;
}

/* A reference of type prem leads from a picture to the alpha that it is premultiplied by (ISO/IEC
 * 23008-12, section 6.10.1). */
static bool is_premultiplied(const iimg_heif_t *heif)
{
    const iimg_box_t *all = &heif->references;
    iimg_reader_t head = { heif->walk->data, all->body, all->end, false };
    unsigned width = iimg_take(&head, 4) >> 24 == 0 ? 2 : 4;
    iimg_box_t box;

    for (size_t at = head.at; iimg_box_next(heif->walk, at, all->end, &box); at = box.end) {
        iimg_reader_t reader = { heif->walk->data, box.body, box.end, false };

        if (iimg_box_is(&box, "prem") && iimg_take(&reader, width) == primary_id(heif)) {
            return true;
        }
    }
    return false;
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
            found = read_primary(heif, &container, &box);
        }
    }
    heif->walk->out->color.is_premultiplied = is_premultiplied(heif);
}
