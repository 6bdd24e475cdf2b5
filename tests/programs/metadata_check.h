/* metadata_check.h - the invariants of the metadata filter for any input. */
#ifndef IIMG_METADATA_CHECK_H
#define IIMG_METADATA_CHECK_H

#include <stdlib.h>
#include <string.h>
#include "base/media_type.h"
#include "services/pictures/edit.h"
#include "worker/metadata/metadata.h"

/** The result of the filter. */
typedef struct filtered_t {
    iimg_format_t format;
    const char *wrong; /* the error; then all else is unset */
    iimg_metadata_t facts;
    unsigned char *bytes; /* of exactly that length, freed by the caller */
    uint64_t length;
} filtered_t;

/** Filter a picture. @return NULL, or the invariant that does not hold */
__attribute__((unused)) static const char *filter_picture(const unsigned char *data, size_t length,
                                                          filtered_t *filtered)
{
    static iimg_edit_step_t steps[IIMG_EDIT_MAX_STEPS];

    memset(filtered, 0, sizeof(*filtered));
    filtered->format = iimg_media_type_sniff(data, length)->format;
    filtered->wrong = iimg_metadata_filter(filtered->format, data, length, steps, &filtered->facts);
    if (filtered->wrong) {
        return NULL;
    }
    if (!iimg_edit_is_valid(&filtered->facts.edit, length, &filtered->length)) {
        return "the edit is valid";
    }
    filtered->bytes = malloc(filtered->length ? filtered->length : 1);
    if (!filtered->bytes) {
        return "there is memory";
    }
    iimg_edit_apply(&filtered->facts.edit, data, filtered->bytes);
    return NULL;
}

static const char *compare_filtered(const filtered_t *once, const filtered_t *twice)
{
    const iimg_metadata_t *a = &once->facts, *b = &twice->facts;

    if (once->format != twice->format) {
        return "the magic bytes stay";
    }
    if (twice->wrong) {
        return "what was filtered can be filtered";
    }
    if (once->length != twice->length || memcmp(once->bytes, twice->bytes, once->length) != 0) {
        return "filtering again changes nothing";
    }
    return a->orientation == b->orientation && a->width == b->width && a->height == b->height
                   && a->progressive == b->progressive && a->icc_length == b->icc_length
               ? NULL
               : "orientation, size and profile stay";
}

/** Filter a picture, then its result. @return NULL, or the invariant that does not hold */
__attribute__((unused)) static const char *check_picture(const unsigned char *data, size_t length)
{
    filtered_t once, twice = { 0 };
    const char *broken = filter_picture(data, length, &once);

    if (!broken && !once.wrong) {
        broken = once.facts.orientation < 1 || once.facts.orientation > 8
                     ? "the orientation is from 1 to 8"
                     : filter_picture(once.bytes, once.length, &twice);
        broken = broken ? broken : compare_filtered(&once, &twice);
    }
    free(once.bytes);
    free(twice.bytes);
    return broken;
}

#endif
