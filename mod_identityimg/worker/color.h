/* color.h - turn the color description of a container into an ICC profile. */
#ifndef IIMG_WORKER_COLOR_H
#define IIMG_WORKER_COLOR_H

#include <vips/vips.h>
#include "worker/metadata/metadata.h"

/**
 * Attach the ICC profile that matches the color description of the container, for
 * iimg_profile_to_srgb. PQ and HLG are tone-mapped to SDR with linear light. Precedence: PNG's
 * cICP, an embedded profile, HEIF's nclx, PNG's sRGB, gAMA with cHRM. Invalid descriptions are
 * ignored, as browsers do.
 * @param out `in` itself when nothing changes
 * @return 0, or -1 with libvips' error set
 */
int iimg_color_apply(const iimg_color_t *color, VipsImage *in, VipsImage **out);

#endif
