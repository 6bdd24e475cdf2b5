/* picture_source.h - open a picture without its metadata and check limits, before decoding. */
#ifndef IIMG_WORKER_PICTURE_SOURCE_H
#define IIMG_WORKER_PICTURE_SOURCE_H

#include <stdbool.h>
#include "base/media_type.h"
#include "worker/metadata/metadata.h"
#include "worker/picture.h"

typedef int (*iimg_load_fn)(void *data, size_t length, VipsImage **out, int shrink);

/** A picture without private metadata, the only input of libvips. */
typedef struct iimg_source_t {
    const unsigned char *data;
    size_t length;
    iimg_format_t format;
    iimg_load_fn load;
    int width, height;   /* as stored, before orientation */
    bool unended;        /* the end marker was appended: only decoding shows whether pixels
                            are missing */
    size_t still_length; /* of the first frame, without an end; 0: not animated */
    iimg_color_t color;  /* color description of the container, without ICC profile */
    bool is_lossless;
} iimg_source_t;

/**
 * Open the picture and check its header. Decodes no pixel.
 * @return false on failure: see work->answer
 */
bool iimg_source_open(iimg_work_t *work, iimg_source_t *source, VipsImage **image);

/** Whether an opened JPEG has several scans, which need the whole picture in memory. */
bool iimg_source_is_progressive(VipsImage *opened);

#endif
