/* profile.h - convert pictures from ICC profiles to sRGB. */
#ifndef IIMG_WORKER_PROFILE_H
#define IIMG_WORKER_PROFILE_H

#include <vips/vips.h>

/**
 * Convert a picture to 8-bit sRGB, by its ICC profile (relative colorimetric, otherwise the intent
 * that the profile has) or by libvips' rules. A broken profile, or one of another color model, is
 * ignored: such files exist.
 * @param out in memory, or `in` itself when nothing changes
 * @return 0, or -1 with libvips' error set
 */
int iimg_profile_to_srgb(VipsImage *in, VipsImage **out);

#endif
