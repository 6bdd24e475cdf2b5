/* metadata.c - stands for the metadata filter until it is merged: keeps all. */
#include "worker/metadata.h"

#include <string.h>

const char *iimg_metadata_filter(iimg_format_t format, const unsigned char *data, size_t length,
                                 iimg_edit_step_t *steps, iimg_metadata_t *metadata)
{
    (void)format, (void)data;
    memset(metadata, 0, sizeof(*metadata));
    memset(steps, 0, sizeof(*steps));
    steps->kind = IIMG_EDIT_KEEP;
    steps->length = length;
    metadata->edit.steps = steps;
    metadata->edit.count = 1;
    metadata->orientation = 1;
    return NULL;
}
