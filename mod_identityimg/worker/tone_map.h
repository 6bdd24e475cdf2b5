/* tone_map.h - map HDR pictures (PQ, HLG) to SDR. */
#ifndef IIMG_WORKER_TONE_MAP_H
#define IIMG_WORKER_TONE_MAP_H

#include <vips/vips.h>

typedef enum {
    IIMG_HDR_PQ,
    IIMG_HDR_HLG
} iimg_hdr_t;

/**
 * Tone-map an RGB picture of 8 or 16 bits, with or without alpha. The result has the same
 * primaries and linear light in 16 bits, with 1 for SDR's white.
 * @param luminance  of red, green and blue, with the sum of 1
 * @param most_light cd/m2 of the brightest pixel; 0: unknown
 * @return 0, or -1 with libvips' error set
 */
int iimg_tone_map(VipsImage *in, iimg_hdr_t hdr, const double luminance[3], double most_light,
                  VipsImage **out);

#endif
