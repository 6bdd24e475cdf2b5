/* heif_items.c - keep the items of a HEIC or AVIF by type (iinf) and location (iloc).
 *
 * Bytes that belong to no item of the picture stay blanked. Bytes of metadata are blanked even if
 * an item of the picture has them, too.
 */
#include "worker/metadata/heif.h"

#include <string.h>

#define MAX_ITEMS 4096 /* lookups are linear; large pictures have hundreds of tiles */

/* The descriptions of the items, mostly in the order of their locations. */
typedef struct infos_t {
    const iimg_walk_t *walk;
    size_t first, end, next;
} infos_t;

/* Widths of the fields of the iloc box. */
typedef struct layout_t {
    int version;
    unsigned offset, length, base, index;
} layout_t;

typedef struct item_t {
    uint32_t id;
    unsigned construction; /* 0: offsets in the file, 1: in the idat box, 2: in another item */
    uint64_t base;
    uint32_t extents;
    iimg_paint_t paint;
} item_t;

/* Types of coded and derived pictures. */
static const char pictures[][5] = { "hvc1", "hev1", "lhv1", "av01", "avc1", "jpeg", "j2k1", "vvc1",
                                    "unci", "grid", "iovl", "iden", "tmap", "sato", "mski" };

static iimg_paint_t paint_of(const unsigned char *type)
{
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        if (memcmp(type, pictures[i], 4) == 0) {
            return IIMG_PAINT_KEEP;
        }
    }
    if (memcmp(type, "Exif", 4) == 0) {
        return IIMG_PAINT_EXIF;
    }
    return memcmp(type, "mime", 4) == 0 ? IIMG_PAINT_SPACE : IIMG_PAINT_ZERO;
}

/* Before version 2 items have no type: they are files with a media type. */
static iimg_paint_t read_info(const iimg_walk_t *walk, const iimg_box_t *box, uint32_t *id)
{
    iimg_reader_t reader = { walk->data, box->body, box->end, false };
    unsigned version = (unsigned)iimg_take(&reader, 1);

    iimg_take(&reader, 3);
    *id = (uint32_t)iimg_take(&reader, version >= 3 ? 4 : 2);
    iimg_take(&reader, 2);
    if (version < 2 || !iimg_within(reader.at, 4, reader.end)) {
        return IIMG_PAINT_ZERO;
    }
    return paint_of(walk->data + reader.at);
}

static bool find_between(infos_t *infos, size_t at, size_t end, uint32_t wanted,
                         iimg_paint_t *paint)
{
    iimg_box_t box;

    for (; at < end && iimg_box_next(infos->walk, at, infos->end, &box); at = box.end) {
        uint32_t id = 0;

        *paint = read_info(infos->walk, &box, &id);
        if (iimg_box_is(&box, "infe") && id == wanted) {
            infos->next = box.end;
            return true;
        }
    }
    return false;
}

/* @return the paint of an item; items without a description are blanked */
static iimg_paint_t find_paint(infos_t *infos, uint32_t id)
{
    iimg_paint_t paint;

    return find_between(infos, infos->next, infos->end, id, &paint)
                   || find_between(infos, infos->first, infos->next, id, &paint)
               ? paint
               : IIMG_PAINT_ZERO;
}

static bool begin_infos(const iimg_heif_t *heif, infos_t *infos)
{
    iimg_reader_t reader = { heif->walk->data, heif->infos.body, heif->infos.end, false };
    int count = 0;
    iimg_box_t box;

    infos->walk = heif->walk;
    iimg_take(&reader, iimg_take(&reader, 1) == 0 ? 3 + 2 : 3 + 4);
    infos->first = infos->next = reader.at;
    infos->end = reader.end;
    for (size_t at = infos->first; iimg_box_next(heif->walk, at, infos->end, &box); at = box.end) {
        if (++count > MAX_ITEMS) {
            return iimg_walk_wrong(heif->walk, "it has too many items");
        }
    }
    return !reader.cut;
}

static bool is_width(unsigned width)
{
    return width == 0 || width == 4 || width == 8;
}

/* @return the number of items; -1 when malformed */
static int64_t take_layout(iimg_reader_t *reader, layout_t *layout)
{
    unsigned sizes;
    int64_t count;

    layout->version = (int)iimg_take(reader, 1);
    iimg_take(reader, 3);
    sizes = (unsigned)iimg_take(reader, 2);
    layout->offset = sizes >> 12;
    layout->length = sizes >> 8 & 0xf;
    layout->base = sizes >> 4 & 0xf;
    layout->index = layout->version > 0 ? sizes & 0xf : 0;
    count = (int64_t)iimg_take(reader, layout->version < 2 ? 2 : 4);
    return !reader->cut && layout->version <= 2 && is_width(layout->offset)
                   && is_width(layout->length) && is_width(layout->base) && is_width(layout->index)
               ? count
               : -1;
}

static void take_item(iimg_reader_t *reader, const layout_t *layout, item_t *item)
{
    item->id = (uint32_t)iimg_take(reader, layout->version < 2 ? 2 : 4);
    item->construction = layout->version > 0 ? (unsigned)iimg_take(reader, 2) & 0xf : 0;
    iimg_take(reader, 2); /* data_reference_index */
    item->base = iimg_take(reader, layout->base);
    item->extents = (uint32_t)iimg_take(reader, 2);
}

/* Convert the offset to one in the file. @return whether the whole range is media data */
static bool is_media(const iimg_heif_t *heif, const item_t *item, uint64_t *offset, uint64_t length)
{
    if (item->construction == 1) {
        const iimg_box_t *data = &heif->data;
        bool fits = data->type && iimg_within(*offset, length, data->end - data->body);

        *offset += data->body;
        return fits;
    }
    for (int i = 0; i < heif->media_count; i++) {
        const iimg_box_t *media = &heif->media[i];

        if (*offset >= media->body && iimg_within(*offset, length, media->end)) {
            return true;
        }
    }
    return false;
}

static bool take_extent(iimg_heif_t *heif, iimg_reader_t *reader, const layout_t *layout,
                        const item_t *item)
{
    uint64_t offset, length;

    iimg_take(reader, layout->index);
    offset = iimg_take(reader, layout->offset);
    length = iimg_take(reader, layout->length);
    if (reader->cut) {
        return iimg_walk_wrong(heif->walk, "its table of items is cut short");
    }
    if (length == 0) {
        return true;
    }
    if (offset > UINT64_MAX - item->base) {
        return iimg_walk_wrong(heif->walk, "an item lies outside the media data");
    }
    offset += item->base;
    if (!is_media(heif, item, &offset, length)) {
        return iimg_walk_wrong(heif->walk, "an item lies outside the media data");
    }
    iimg_heif_paint(heif, offset, length, item->paint);
    return !heif->walk->wrong;
}

/* An EXIF block in several extents becomes zeros, not a stub. */
static bool take_extents(iimg_heif_t *heif, iimg_reader_t *reader, const layout_t *layout,
                         item_t *item, bool paints)
{
    size_t each = layout->index + layout->offset + layout->length;

    if (item->construction > 1) {
        return iimg_walk_wrong(heif->walk, "an item lies within another");
    }
    if (!paints || layout->length == 0) {
        reader->cut = reader->cut || !iimg_within(reader->at, each * item->extents, reader->end);
        reader->at += reader->cut ? 0 : each * item->extents;
        return true;
    }
    if (item->paint == IIMG_PAINT_EXIF && item->extents > 1) {
        item->paint = IIMG_PAINT_ZERO;
    }
    for (uint32_t i = 0; i < item->extents; i++) {
        if (!take_extent(heif, reader, layout, item)) {
            return false;
        }
    }
    return true;
}

/* Walk all locations. @param keeps paint items of the picture, otherwise items of metadata */
static bool paint_items(iimg_heif_t *heif, infos_t *infos, bool keeps)
{
    iimg_reader_t reader = { heif->walk->data, heif->locations.body, heif->locations.end, false };
    layout_t layout;
    int64_t count = take_layout(&reader, &layout);

    if (count < 0) {
        return iimg_walk_wrong(heif->walk, "its table of items is malformed");
    }
    if (count > MAX_ITEMS) {
        return iimg_walk_wrong(heif->walk, "it has too many items");
    }
    for (int64_t i = 0; i < count; i++) {
        item_t item;
        bool paints;

        take_item(&reader, &layout, &item);
        item.paint = find_paint(infos, item.id);
        paints = keeps == (item.paint == IIMG_PAINT_KEEP);
        if (!take_extents(heif, &reader, &layout, &item, paints)) {
            return false;
        }
        if (reader.cut) {
            return iimg_walk_wrong(heif->walk, "its table of items is cut short");
        }
    }
    return true;
}

bool iimg_heif_items(iimg_heif_t *heif)
{
    infos_t infos;

    if (!begin_infos(heif, &infos)) {
        return iimg_walk_wrong(heif->walk, "its list of items is cut short");
    }
    return paint_items(heif, &infos, true) && paint_items(heif, &infos, false);
}
