/* metadata.c - the metadata filter: choose the walk of the container, build the edit. */
#include "worker/metadata/metadata.h"

#include <string.h>
#include "worker/metadata/walk.h"

static const struct {
    iimg_format_t format;
    void (*run)(iimg_walk_t *walk);
} walks[] = {
    { IIMG_FORMAT_JPEG, iimg_metadata_jpeg }, { IIMG_FORMAT_PNG, iimg_metadata_png },
    { IIMG_FORMAT_WEBP, iimg_metadata_webp }, { IIMG_FORMAT_GIF, iimg_metadata_gif },
    { IIMG_FORMAT_HEIC, iimg_metadata_heif }, { IIMG_FORMAT_AVIF, iimg_metadata_heif },
};

const char *iimg_metadata_filter(iimg_format_t format, const unsigned char *data, size_t length,
                                 iimg_edit_step_t *steps, iimg_metadata_t *metadata)
{
    iimg_walk_t walk = { data, length, metadata, NULL };

    memset(metadata, 0, sizeof(*metadata));
    metadata->edit.steps = steps;
    metadata->orientation = 1;
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        if (walks[i].format == format) {
            walks[i].run(&walk);
            return walk.wrong;
        }
    }
    return "its kind is unknown";
}

bool iimg_walk_wrong(iimg_walk_t *walk, const char *clause)
{
    if (!walk->wrong) {
        walk->wrong = clause;
    }
    return false;
}

void iimg_walk_end_early(iimg_walk_t *walk)
{
    walk->wrong = NULL;
    walk->out->unended = true;
}

void iimg_walk_end_first_frame(iimg_walk_t *walk)
{
    const iimg_edit_t *edit = &walk->out->edit;
    uint64_t length = 0;

    for (int i = 0; walk->out->still_length == 0 && i < edit->count; i++) {
        length += edit->steps[i].kind == IIMG_EDIT_INSERT ? edit->steps[i].insert_length
                                                          : edit->steps[i].length;
    }
    walk->out->still_length = walk->out->still_length ? walk->out->still_length : length;
}

static iimg_edit_step_t *add_step(iimg_walk_t *walk, iimg_edit_kind_t kind)
{
    iimg_edit_t *edit = &walk->out->edit;
    iimg_edit_step_t *step;

    if (edit->count == IIMG_EDIT_MAX_STEPS) {
        iimg_walk_wrong(walk, "it has too many pieces");
        return NULL;
    }
    step = &edit->steps[edit->count++];
    memset(step, 0, sizeof(*step));
    step->kind = (uint8_t)kind;
    return step;
}

void iimg_walk_keep(iimg_walk_t *walk, size_t offset, size_t length)
{
    iimg_edit_t *edit = &walk->out->edit;
    iimg_edit_step_t *step = edit->count > 0 ? &edit->steps[edit->count - 1] : NULL;

    if (length == 0) {
        return;
    }
    if (step && step->kind == IIMG_EDIT_KEEP && step->offset + step->length == offset) {
        step->length += length;
        return;
    }
    step = add_step(walk, IIMG_EDIT_KEEP);
    if (step) {
        step->offset = offset;
        step->length = length;
    }
}

unsigned char *iimg_walk_insert(iimg_walk_t *walk, const void *bytes, int length)
{
    iimg_edit_t *edit = &walk->out->edit;
    unsigned char *at = edit->inserts + edit->insert_length;
    iimg_edit_step_t *step;

    if (length > IIMG_EDIT_MAX_INSERT - edit->insert_length) {
        iimg_walk_wrong(walk, "too many of its pieces have a wrong length");
        return NULL;
    }
    step = add_step(walk, IIMG_EDIT_INSERT);
    if (!step) {
        return NULL;
    }
    memcpy(at, bytes, (size_t)length);
    step->insert_length = (uint16_t)length;
    edit->insert_length += length;
    return at;
}

void iimg_walk_fill(iimg_walk_t *walk, unsigned char byte, size_t length)
{
    iimg_edit_step_t *step = length > 0 ? add_step(walk, IIMG_EDIT_FILL) : NULL;

    if (step) {
        step->byte = byte;
        step->length = length;
    }
}

bool iimg_within(size_t offset, size_t length, size_t end)
{
    return offset <= end && length <= end - offset;
}

uint32_t iimg_big16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

uint32_t iimg_big32(const unsigned char *p)
{
    return iimg_big16(p) << 16 | iimg_big16(p + 2);
}

uint32_t iimg_little16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

uint32_t iimg_little24(const unsigned char *p)
{
    return (uint32_t)p[2] << 16 | iimg_little16(p);
}

uint32_t iimg_little32(const unsigned char *p)
{
    return iimg_little16(p + 2) << 16 | iimg_little16(p);
}
