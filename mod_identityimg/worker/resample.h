/* resample.h - makes pixels that are in memory fewer. */
#ifndef IIMG_WORKER_RESAMPLE_H
#define IIMG_WORKER_RESAMPLE_H

#include <stdbool.h>

/** Rows of 8-bit samples without gaps, each color in as many samples as there are bands. */
typedef struct iimg_pixels_t {
    unsigned char *data;
    int width, height, bands;
} iimg_pixels_t;

#define IIMG_RESAMPLE_BANDS 4 /* at most */

/**
 * Resample, with Lanczos' kernel of three lobes. For colors that need no weights: transparent
 * pixels must be premultiplied.
 * @param out its sides are as wanted, none larger than in's, its bands are in's; data is made with
 *            malloc()
 * @return false when there is no memory
 */
bool iimg_resample(const iimg_pixels_t *in, iimg_pixels_t *out);

#endif
