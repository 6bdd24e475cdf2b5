/* picture_pixels.h - decode pixels once, shrink them, convert them to sRGB, turn them upright. */
#ifndef IIMG_WORKER_PICTURE_PIXELS_H
#define IIMG_WORKER_PICTURE_PIXELS_H

#include "worker/picture_source.h"
#include "worker/resample.h"

/**
 * Decode into memory: upright, sRGB, within box x box, with alpha only if a pixel is transparent.
 * @return 0, or -1 with libvips' error set
 */
int iimg_pixels_decode(const iimg_source_t *source, VipsImage *opened, int box, VipsImage **out);

/** Shrink into box x box, in memory. @return NULL with libvips' error set */
VipsImage *iimg_pixels_fit(VipsImage *in, int box);

/** @return whether the pixels are in memory as 8-bit samples without alpha; then pixels is set */
bool iimg_pixels_are_plain(const VipsImage *image, iimg_pixels_t *pixels);

#endif
