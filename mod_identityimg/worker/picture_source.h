/* picture_source.h - a picture, opened: without metadata, within limits, not yet decoded. */
#ifndef IIMG_WORKER_PICTURE_SOURCE_H
#define IIMG_WORKER_PICTURE_SOURCE_H

#include <stdbool.h>
#include "base/media_type.h"
#include "worker/metadata/metadata.h"
#include "worker/picture.h"

typedef int (*iimg_load_fn)(void *data, size_t length, VipsImage **out, int shrink);

/** A picture without private metadata: nothing else reaches libvips. */
typedef struct iimg_source_t {
    const unsigned char *data;
    size_t length;
    iimg_format_t format;
    iimg_load_fn load;
    int width, height;   /* as stored, before orientation */
    bool unended;        /* its end was put in: whether all pixels are there shows when they are
                            decoded */
    size_t still_length; /* of the first frame of several, without an end; 0: there is no other */
    iimg_color_t color;  /* what its container says beside an ICC profile */
    bool is_lossless;
} iimg_source_t;

/**
 * Open the work's picture: its header is read and checked, no pixel is decoded.
 * @return false: work->answer says why
 */
bool iimg_source_open(iimg_work_t *work, iimg_source_t *source, VipsImage **image);

/** Whether an opened JPEG comes in several scans: it has to be kept whole while it is decoded. */
bool iimg_source_is_progressive(VipsImage *opened);

#endif
