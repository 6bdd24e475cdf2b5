/* edit.c - checks and applies edits, which may come from a compromised process. */
#include "services/pictures/edit.h"

#include <string.h>

/* The progress of the steps so far. */
typedef struct progress_t {
    uint64_t read; /* of the original: the next KEEP begins here or later */
    uint64_t inserted;
    uint64_t written;
} progress_t;

/* @return the bytes that the step writes; 0 if it is invalid */
static uint64_t step_writes(const iimg_edit_step_t *step, const progress_t *progress,
                            uint64_t original_length, uint64_t inserts)
{
    bool inserts_none = step->insert_length == 0, reads_none = step->offset == 0;

    if (step->reserved != 0) {
        return 0;
    }
    switch (step->kind) {
    case IIMG_EDIT_KEEP:
        return inserts_none && step->byte == 0 && step->offset >= progress->read
                       && step->offset <= original_length
                       && step->length <= original_length - step->offset
                   ? step->length
                   : 0;
    case IIMG_EDIT_INSERT:
        return reads_none && step->byte == 0 && step->length == 0
                       && step->insert_length <= inserts - progress->inserted
                   ? step->insert_length
                   : 0;
    case IIMG_EDIT_FILL:
        return inserts_none && reads_none ? step->length : 0;
    default:
        return 0;
    }
}

bool iimg_edit_is_valid(const iimg_edit_t *edit, uint64_t original_length, uint64_t *result_length)
{
    uint64_t most = original_length <= UINT64_MAX - IIMG_EDIT_MAX_GROWTH
                        ? original_length + IIMG_EDIT_MAX_GROWTH
                        : UINT64_MAX;
    progress_t progress = { 0, 0, 0 };

    if (edit->count < 0 || edit->count > IIMG_EDIT_MAX_STEPS || edit->insert_length < 0
        || edit->insert_length > IIMG_EDIT_MAX_INSERT) {
        return false;
    }
    for (int i = 0; i < edit->count; i++) {
        const iimg_edit_step_t *step = &edit->steps[i];
        uint64_t writes = step_writes(step, &progress, original_length,
                                      (uint64_t)edit->insert_length);

        if (writes == 0 || writes > most - progress.written) {
            return false;
        }
        progress.written += writes;
        progress.inserted += step->kind == IIMG_EDIT_INSERT ? writes : 0;
        progress.read = step->kind == IIMG_EDIT_KEEP ? step->offset + writes : progress.read;
    }
    if (progress.inserted != (uint64_t)edit->insert_length) {
        return false;
    }
    *result_length = progress.written;
    return true;
}

void iimg_edit_apply(const iimg_edit_t *edit, const unsigned char *original, unsigned char *out)
{
    const unsigned char *insert = edit->inserts;

    for (int i = 0; i < edit->count; i++) {
        const iimg_edit_step_t *step = &edit->steps[i];

        switch (step->kind) {
        case IIMG_EDIT_KEEP:
            memcpy(out, original + step->offset, step->length);
            out += step->length;
            break;
        case IIMG_EDIT_INSERT:
            memcpy(out, insert, step->insert_length);
            insert += step->insert_length;
            out += step->insert_length;
            break;
        default:
            memset(out, step->byte, step->length);
            out += step->length;
        }
    }
}

unsigned char *iimg_edit_apply_within(const iimg_edit_t *edit, uint64_t result_length,
                                      unsigned char *original)
{
    const iimg_edit_step_t *last = edit->count > 0 ? &edit->steps[edit->count - 1] : NULL;
    unsigned char head[IIMG_EDIT_MAX_HEAD];
    iimg_edit_t before = *edit;
    uint64_t length;

    if (!last || last->kind != IIMG_EDIT_KEEP) {
        return NULL;
    }
    length = result_length - last->length;
    if (length > sizeof(head) || length > last->offset) {
        return NULL;
    }
    before.count--;
    iimg_edit_apply(&before, original, head);
    memcpy(original + last->offset - length, head, length);
    return original + last->offset - length;
}
