/* picture_pixels.h - a picture's pixels: decoded once, made fewer, sRGB, upright. */
#ifndef IIMG_WORKER_PICTURE_PIXELS_H
#define IIMG_WORKER_PICTURE_PIXELS_H

#include "worker/picture_source.h"
#include "worker/resample.h"

/**
 * Decode: upright, sRGB, within box, in memory; alpha only where something shows through.
 * @return 0, or -1 with libvips' error set
 */
int iimg_pixels_decode(const iimg_source_t *source, VipsImage *opened, int box, VipsImage **out);

/** @return the picture within box x box, in memory, never enlarged; NULL with libvips' error set */
VipsImage *iimg_pixels_fit(VipsImage *in, int box);

/** @return whether its pixels are in memory, as bytes that need no weights; then they are there */
bool iimg_pixels_are_plain(const VipsImage *image, iimg_pixels_t *pixels);

#endif
