/* color.h - colors that a container describes in numbers of its own instead of an ICC profile. */
#ifndef IIMG_WORKER_COLOR_H
#define IIMG_WORKER_COLOR_H

#include <vips/vips.h>
#include "worker/metadata/metadata.h"

/**
 * Give a picture the ICC profile that its container's numbers stand for; the step into sRGB then
 * treats it as any picture with a profile. PQ and HLG are tone-mapped to SDR and become linear.
 * Precedence: PNG's cICP, an embedded profile, HEIF's nclx, PNG's sRGB, gAMA with cHRM. Numbers
 * that make no sense are ignored, as browsers ignore them.
 * @param out `in` itself where there is nothing to do
 * @return 0, or -1 with libvips' error set
 */
int iimg_color_apply(const iimg_color_t *color, VipsImage *in, VipsImage **out);

#endif
