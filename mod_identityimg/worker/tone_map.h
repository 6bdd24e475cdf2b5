/* tone_map.h - brings the light of HDR pictures (PQ, HLG) into the range of SDR. */
#ifndef IIMG_WORKER_TONE_MAP_H
#define IIMG_WORKER_TONE_MAP_H

#include <vips/vips.h>

typedef enum {
    IIMG_HDR_PQ,
    IIMG_HDR_HLG
} iimg_hdr_t;

/**
 * Tone-map an RGB picture of 8 or 16 bits, with alpha or without: the result has the same
 * primaries, linear light in 16 bits, 1 for SDR's white.
 * @param luminance  of red, green and blue, with the sum of 1
 * @param most_light cd/m2 of the brightest pixel; 0: unknown
 * @return 0, or -1 with libvips' error set
 */
int iimg_tone_map(VipsImage *in, iimg_hdr_t hdr, const double luminance[3], double most_light,
                  VipsImage **out);

#endif
