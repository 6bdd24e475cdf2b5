/* heif.c - walk the boxes of a HEIC or AVIF (ISO/IEC 14496-12, 23008-12).
 *
 * Boxes refer to each other by offsets in the file, so nothing is moved: bytes that are not known
 * to belong to the picture are blanked, and only the end is cut off.
 */
#include "worker/metadata/heif.h"

#include <string.h>

static bool split_at(iimg_heif_t *heif, size_t offset, int *index)
{
    iimg_edit_t *edit = &heif->walk->out->edit;
    iimg_edit_step_t *steps = edit->steps;
    int low = 0, high = edit->count;

    while (low < high) { /* find the first step that ends after the offset */
        int middle = (low + high) / 2;

        if (steps[middle].offset + steps[middle].length <= offset) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    *index = low;
    if (low == edit->count || steps[low].offset == offset) {
        return true;
    }
    if (edit->count == IIMG_EDIT_MAX_STEPS) {
        return iimg_walk_wrong(heif->walk, "it has too many pieces");
    }
    memmove(steps + low + 1, steps + low, (size_t)(edit->count - low) * sizeof(*steps));
    edit->count++;
    steps[low].length = offset - steps[low].offset;
    steps[low + 1].length -= steps[low].length;
    steps[low + 1].offset = offset;
    *index = low + 1;
    return true;
}

/* Until the map is finished, the byte of a step holds its paint. */
static void set_paint(iimg_edit_t *edit, int first, int behind, iimg_paint_t paint)
{
    iimg_edit_step_t *step = &edit->steps[first], *last = &edit->steps[behind - 1];

    step->length = last->offset + last->length - step->offset;
    step->byte = (uint8_t)paint;
    memmove(step + 1, last + 1, (size_t)(edit->count - behind) * sizeof(*step));
    edit->count -= behind - first - 1;
}

/* Join equal neighbors. Stubs are not joined: each is a block. */
static void join_steps(iimg_edit_t *edit, int first)
{
    iimg_edit_step_t *step = edit->steps + first;

    if (first >= 0 && first + 1 < edit->count && step[0].byte == step[1].byte
        && step->byte != IIMG_PAINT_EXIF) {
        set_paint(edit, first, first + 2, (iimg_paint_t)step->byte);
    }
}

void iimg_heif_paint(iimg_heif_t *heif, size_t offset, size_t length, iimg_paint_t paint)
{
    int first, behind;

    if (++heif->paints > IIMG_HEIF_MAX_PAINTS) {
        iimg_walk_wrong(heif->walk, "it has too many pieces");
        return;
    }
    if (length > 0 && split_at(heif, offset, &first) && split_at(heif, offset + length, &behind)) {
        iimg_edit_t *edit = &heif->walk->out->edit;

        set_paint(edit, first, behind, paint);
        join_steps(edit, first);
        join_steps(edit, first - 1);
    }
}

bool iimg_box_is(const iimg_box_t *box, const char *type)
{
    return memcmp(box->type, type, 4) == 0;
}

bool iimg_box_next(const iimg_walk_t *walk, size_t at, size_t end, iimg_box_t *box)
{
    const unsigned char *p = walk->data + at;
    uint64_t length;

    if (!iimg_within(at, 8, end)) {
        return false;
    }
    length = iimg_big32(p);
    box->at = at;
    box->type = p + 4;
    box->body = at + 8;
    if (length == 1) {
        if (!iimg_within(at, 16, end)) {
            return false;
        }
        length = (uint64_t)iimg_big32(p + 8) << 32 | iimg_big32(p + 12);
        box->body = at + 16;
    }
    else if (length == 0) {
        length = end - at;
    }
    box->end = at + length;
    return length >= box->body - at && length <= end - at;
}

uint64_t iimg_take(iimg_reader_t *reader, unsigned width)
{
    uint64_t value = 0;

    if (!iimg_within(reader->at, width, reader->end)) {
        reader->cut = true;
        reader->at = reader->end;
        return 0;
    }
    for (unsigned i = 0; i < width; i++) {
        value = value << 8 | reader->data[reader->at++];
    }
    return value;
}

/* @return whether the box is used: what follows the last used box is cut off */
static bool take_box(iimg_heif_t *heif, const iimg_box_t *box)
{
    if (iimg_box_is(box, "mdat")) {
        if (heif->media_count == IIMG_HEIF_MAX_MEDIA) {
            return iimg_walk_wrong(heif->walk, "it has too many boxes of media data");
        }
        heif->media[heif->media_count++] = *box;
        return true;
    }
    if (iimg_box_is(box, "meta") || iimg_box_is(box, "moov")) {
        iimg_box_t *slot = iimg_box_is(box, "meta") ? &heif->meta : &heif->movie;

        if (slot->type) {
            return iimg_walk_wrong(heif->walk, "it has a duplicate box");
        }
        *slot = *box;
        return true;
    }
    return iimg_box_is(box, "ftyp");
}

/* A truncated box is an error if it would be used; otherwise it is cut off. */
static void find_boxes(iimg_heif_t *heif)
{
    static const char counts[][5] = { "ftyp", "meta", "mdat", "moov" };
    iimg_walk_t *walk = heif->walk;
    iimg_box_t box;
    size_t at = 0;

    while (!walk->wrong && iimg_box_next(walk, at, walk->length, &box)) {
        heif->end = take_box(heif, &box) ? box.end : heif->end;
        at = box.end;
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (iimg_within(at, 8, walk->length) && memcmp(walk->data + at + 4, counts[i], 4) == 0) {
            iimg_walk_wrong(walk, "a box reaches beyond the end");
        }
    }
    if (!heif->meta.type) {
        iimg_walk_wrong(walk, "it has no meta box");
    }
}

/* Blank all, except the heads of boxes, which readers need. */
static void begin_map(iimg_heif_t *heif)
{
    iimg_edit_t *edit = &heif->walk->out->edit;
    iimg_box_t box;

    memset(edit->steps, 0, sizeof(*edit->steps));
    edit->steps[0].length = heif->end;
    edit->steps[0].byte = IIMG_PAINT_ZERO;
    edit->count = 1;
    for (size_t at = 0; iimg_box_next(heif->walk, at, heif->end, &box); at = box.end) {
        bool is_whole = iimg_box_is(&box, "ftyp")
                        || (heif->movie.type && iimg_box_is(&box, "mdat"));

        iimg_heif_paint(heif, box.at, (is_whole ? box.end : box.body) - box.at, IIMG_PAINT_KEEP);
    }
}

/* An empty EXIF block: the offset of the TIFF header, the header, an IFD without entries, zeros. */
static const struct {
    unsigned char byte;
    size_t length;
} stub[] = { { 0, 4 }, { 'M', 2 }, { 0, 1 }, { '*', 1 }, { 0, 3 }, { 8, 1 }, { 0, 6 } };
enum {
    STUB_SIZE = 18,
    STUB_STEPS = sizeof(stub) / sizeof(stub[0])
};

static void finish_stub(iimg_walk_t *walk, size_t length)
{
    size_t rest = length;

    for (size_t i = 0; i < STUB_STEPS && length >= STUB_SIZE; i++) {
        iimg_walk_fill(walk, stub[i].byte, stub[i].length);
        rest -= stub[i].length;
    }
    iimg_walk_fill(walk, 0, rest);
}

/* Convert the map to an edit in place: move the map to the end of the array first, so that writing
 * does not overtake reading. */
static void finish_map(iimg_heif_t *heif)
{
    iimg_walk_t *walk = heif->walk;
    iimg_edit_t *edit = &walk->out->edit;
    int count = edit->count, stubs = 0;
    iimg_edit_step_t *from = edit->steps + IIMG_EDIT_MAX_STEPS - count;

    for (int i = 0; i < count; i++) {
        stubs += edit->steps[i].byte == IIMG_PAINT_EXIF;
    }
    if (stubs > (IIMG_EDIT_MAX_STEPS - count) / (STUB_STEPS + 1)) {
        iimg_walk_wrong(walk, "it has too many pieces");
        return;
    }
    memmove(from, edit->steps, (size_t)count * sizeof(*from));
    edit->count = 0;
    for (int i = 0; i < count; i++) {
        iimg_edit_step_t step = from[i];

        switch ((iimg_paint_t)step.byte) {
        case IIMG_PAINT_KEEP:
            iimg_walk_keep(walk, step.offset, step.length);
            break;
        case IIMG_PAINT_EXIF:
            finish_stub(walk, step.length);
            break;
        case IIMG_PAINT_SPACE:
            iimg_walk_fill(walk, ' ', step.length);
            break;
        case IIMG_PAINT_ZERO:
            iimg_walk_fill(walk, 0, step.length);
            break;
        }
    }
}

/* @return whether the whole box is kept */
static bool take_meta_box(iimg_heif_t *heif, const iimg_box_t *box)
{
    static const char whole[][5] = { "hdlr", "pitm", "iloc", "iinf", "iref", "dinf", "grpl" };

    const struct {
        const char *type;
        iimg_box_t *slot;
    } parts[] = { { "pitm", &heif->primary },    { "iloc", &heif->locations },
                  { "iinf", &heif->infos },      { "iref", &heif->references },
                  { "iprp", &heif->properties }, { "idat", &heif->data } };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (iimg_box_is(box, parts[i].type)) {
            if (parts[i].slot->type) {
                iimg_walk_wrong(heif->walk, "it has a duplicate box");
            }
            *parts[i].slot = *box;
        }
    }
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        if (iimg_box_is(box, whole[i])) {
            return true;
        }
    }
    return false;
}

static void take_meta(iimg_heif_t *heif)
{
    size_t at = heif->meta.body + 4; /* after version and flags */
    iimg_box_t box;

    if (heif->meta.end - heif->meta.body < 4) {
        iimg_walk_wrong(heif->walk, "its meta box is cut short");
        return;
    }
    iimg_heif_paint(heif, heif->meta.body, 4, IIMG_PAINT_KEEP);
    for (; iimg_box_next(heif->walk, at, heif->meta.end, &box); at = box.end) {
        bool is_whole = take_meta_box(heif, &box);

        iimg_heif_paint(heif, box.at, (is_whole ? box.end : box.body) - box.at, IIMG_PAINT_KEEP);
    }
    if (at != heif->meta.end) {
        iimg_walk_wrong(heif->walk, "a box reaches beyond the end of the meta box");
    }
    else if (!heif->locations.type || !heif->infos.type) {
        iimg_walk_wrong(heif->walk, "it does not say where its items are");
    }
}

void iimg_metadata_heif(iimg_walk_t *walk)
{
    iimg_heif_t heif = { .walk = walk };

    find_boxes(&heif);
    if (walk->wrong) {
        return;
    }
    begin_map(&heif);
    take_meta(&heif);
    iimg_heif_properties(&heif);
    if (!walk->wrong && (!heif.movie.type || iimg_heif_movie(&heif)) && iimg_heif_items(&heif)) {
        finish_map(&heif);
    }
}
