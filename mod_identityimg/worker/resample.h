/* resample.h - shrink pixels in memory. */
#ifndef IIMG_WORKER_RESAMPLE_H
#define IIMG_WORKER_RESAMPLE_H

#include <stdbool.h>

/** Pixels: rows of 8-bit samples without padding, with `bands` samples for each pixel. */
typedef struct iimg_pixels_t {
    unsigned char *data;
    int width, height, bands;
} iimg_pixels_t;

#define IIMG_RESAMPLE_BANDS 4 /* at most */

/**
 * Resample with a Lanczos kernel of three lobes. Pixels with alpha must be premultiplied.
 * @param out width and height set by the caller, not larger than those of in; the same bands; data
 *            is allocated by malloc()
 * @return false when out of memory
 */
bool iimg_resample(const iimg_pixels_t *in, iimg_pixels_t *out);

#endif
