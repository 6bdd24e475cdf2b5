/* jpeg.h - decode and encode JPEGs with libjpeg, without libvips. */
#ifndef IIMG_WORKER_JPEG_H
#define IIMG_WORKER_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include "worker/resample.h"

/* Errors are in libvips' error buffer. */

/**
 * Decode a JPEG of one scan to gray or RGB, at 1, 1/2, 1/4 or 1/8 of its size. Warnings of libjpeg
 * are ignored, but data that ends too early is an error.
 * @param unended the end marker was appended: it is an error before the last pixel
 * @param pixels  data is allocated by malloc()
 */
bool iimg_jpeg_decode(const unsigned char *data, size_t length, int shrink, bool unended,
                      iimg_pixels_t *pixels);

/**
 * Encode RGB with optimized codes and without metadata.
 * @param full_colors keep the resolution of colors (4:4:4); otherwise depends on the quality
 * @param jpeg        allocated by malloc()
 */
bool iimg_jpeg_encode(const iimg_pixels_t *pixels, int quality, bool full_colors, void **jpeg,
                      size_t *length);

#endif
