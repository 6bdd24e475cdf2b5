/* jpeg.h - JPEGs by libjpeg itself, without what libvips does around it. */
#ifndef IIMG_WORKER_JPEG_H
#define IIMG_WORKER_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include "worker/resample.h"

/* What goes wrong is left in libvips' error buffer. */

/**
 * Decode a JPEG of one scan, grey or in color: into grey or RGB, at 1, 1/2, 1/4 or 1/8 of its
 * size. What libjpeg only warns of passes; data that end too early do not.
 * @param unended the end marker is not the file's own: an end in the middle of the pixels is an
 * error
 * @param pixels data is made with malloc()
 */
bool iimg_jpeg_decode(const unsigned char *data, size_t length, int shrink, bool unended,
                      iimg_pixels_t *pixels);

/**
 * Encode RGB: the codes that are best for this picture, no metadata.
 * @param full_colors keep the resolution of colors (4:4:4); else that is left to the quality
 * @param jpeg made with malloc()
 */
bool iimg_jpeg_encode(const iimg_pixels_t *pixels, int quality, bool full_colors, void **jpeg,
                      size_t *length);

#endif
