/* profile.h - out of ICC profiles into sRGB. */
#ifndef IIMG_WORKER_PROFILE_H
#define IIMG_WORKER_PROFILE_H

#include <vips/vips.h>

/**
 * Make a picture 8-bit sRGB: through its ICC profile where there is one, by its relative
 * colorimetric table or what it has instead; else by libvips' own rules. A profile that is broken,
 * or belongs to another kind of picture, is ignored: real files have such.
 * @param out in memory, or `in` itself where there is nothing to do
 * @return 0, or -1 with libvips' error set
 */
int iimg_profile_to_srgb(VipsImage *in, VipsImage **out);

#endif
