/* image_internal.h - what image.c shares with image_poster.c: libvips in pools, its errors as ours. */
#ifndef IIMG_IMAGE_INTERNAL_H
#define IIMG_IMAGE_INTERNAL_H

#include <vips/vips.h>
#include "services/image.h"

/** Bind an image to a pool. @return image itself; NULL stays NULL */
VipsImage *iimg_vips_own(apr_pool_t *pool, VipsImage *image);

/** Save as JPEG without metadata. @return 0, or -1 with libvips' error set */
int iimg_vips_save_jpeg(apr_pool_t *pool, VipsImage *image, int quality, iimg_derivative_t *out);

/** What libvips said, taken off its buffer, which all threads share: for the log alone. */
const char *iimg_vips_said(apr_pool_t *pool);

#endif
