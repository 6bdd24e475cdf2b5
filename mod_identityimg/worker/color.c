/* color.c - turn the color description of a container into an ICC profile. */
#include "worker/color.h"

#include <lcms2.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "worker/tone_map.h"

/* Compared with Chromium by tests/t/colors.t. Where it differs from a standard, Chromium wins. */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define UNIT         100000.0 /* of PNG's numbers */
#define MOST_GAMMA   1000.0   /* nearly all black; profiles end at 32767 */
#define SCREEN_GAMMA 45455    /* the usual gamma of screens */

typedef enum {
    CURVE,
    PQ,
    HLG
} kind_t;

/* A transfer characteristic: how sample values become light. */
typedef struct transfer_t {
    kind_t kind;
    double curve[5]; /* littleCMS' type 4: (a x + b)^g from d on, c x below; g a b c d */
} transfer_t;

typedef struct space_t {
    double xy[8]; /* of white, red, green, blue */
    transfer_t transfer;
} space_t;

/* ITU-T H.273, table 2. */
#define D65 0.3127, 0.3290
#define C   0.310, 0.316
static const struct {
    int code;
    double xy[8];
} primaries[] = {
    { 1, { D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060 } },
    { 4, { C, 0.670, 0.330, 0.210, 0.710, 0.140, 0.080 } },
    { 5, { D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060 } },
    { 6, { D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070 } },
    { 7, { D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070 } },
    { 8, { C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049 } },
    { 9, { D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046 } },
    { 10, { 1.0 / 3, 1.0 / 3, 1, 0, 0, 1, 0, 0 } },
    { 11, { 0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060 } },
    { 12, { D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060 } },
    { 22, { D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077 } },
};

/* Each is one value: clang-format would break its braces. */
/* clang-format off */
#define GAMMA(g) { CURVE, { g, 1, 0, 0, 0 } }
#define SRGB     { CURVE, { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 } }
/* clang-format on */
#define VIDEO GAMMA(2.4) /* ITU-R BT.1886 */

/* H.273, table 3. In HEIF, the curves of video are read as sRGB's. */
static const struct {
    int code;
    transfer_t still, video;
} transfers[] = {
    { 1, VIDEO, SRGB },
    { 4, GAMMA(2.2), GAMMA(2.2) },
    { 5, GAMMA(2.8), GAMMA(2.8) },
    { 6, VIDEO, SRGB },
    { 7,
      { CURVE, { 1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 0.25, 0.0913 } },
      { CURVE, { 1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 0.25, 0.0913 } } },
    { 8, GAMMA(1), GAMMA(1) },
    { 11, VIDEO, SRGB },
    { 13, SRGB, SRGB },
    { 14, VIDEO, SRGB },
    { 15, VIDEO, SRGB },
    { 16, { .kind = PQ }, { .kind = PQ } },
    { 17, { CURVE, { 2.6, 1.0341, 0, 0, 0 } }, { CURVE, { 2.6, 1.0341, 0, 0, 0 } } },
    { 18, { .kind = HLG }, { .kind = HLG } },
};
static const transfer_t srgb = SRGB;

/* Descriptions --------------------------------------------------------------------------------- */

static const double *find_primaries(int code)
{
    for (size_t i = 0; i < COUNT(primaries); i++) {
        if (primaries[i].code == code) {
            return primaries[i].xy;
        }
    }
    return NULL;
}

static const transfer_t *find_transfer(int code, bool is_video)
{
    for (size_t i = 0; i < COUNT(transfers); i++) {
        if (transfers[i].code == code) {
            return is_video ? &transfers[i].video : &transfers[i].still;
        }
    }
    return NULL;
}

static void set_primaries(space_t *space, const double *xy)
{
    memcpy(space->xy, xy, sizeof(space->xy));
}

/* An unknown code point in HEIF means sRGB's; in PNG's cICP it makes the chunk void. */
static bool read_code_points(const iimg_color_t *color, space_t *space)
{
    const double *xy = find_primaries(color->primaries);
    const transfer_t *transfer = find_transfer(color->transfer, color->is_video);

    if (!color->has_cicp || (!color->is_video && (!xy || !transfer))) {
        return false;
    }
    set_primaries(space, xy ? xy : primaries[0].xy);
    space->transfer = transfer ? *transfer : srgb;
    return true;
}

/* Chromaticities are used with a gamma only. Most files with the usual gamma of screens are sRGB.
 */
static bool read_gamma(const iimg_color_t *color, space_t *space)
{
    if (color->has_srgb || color->gamma == 0
        || (color->gamma == SCREEN_GAMMA && !color->has_chromaticities)) {
        return false;
    }
    set_primaries(space, primaries[0].xy);
    for (int i = 0; color->has_chromaticities && i < 8; i++) {
        space->xy[i] = color->chromaticities[i] / UNIT;
    }
    space->transfer = (transfer_t)GAMMA(fmin(UNIT / color->gamma, MOST_GAMMA));
    return true;
}

static bool is_srgb(const space_t *space)
{
    return memcmp(space->xy, primaries[0].xy, sizeof(space->xy)) == 0
           && space->transfer.kind == CURVE
           && memcmp(space->transfer.curve, srgb.curve, sizeof(srgb.curve)) == 0;
}

/* Profiles ------------------------------------------------------------------------------------ */

static cmsCIExyY make_point(const double *xy)
{
    return (cmsCIExyY){ xy[0], xy[1], 1 };
}

static bool is_color(const double *xy)
{
    return xy[0] >= 0 && xy[0] <= 1 && xy[1] >= 0 && xy[1] <= 1;
}

/* Whether the primaries form a triangle and white is a color. */
static bool is_valid_space(const space_t *space)
{
    const double *white = space->xy, *red = white + 2, *green = white + 4, *blue = white + 6;
    double area = (green[0] - red[0]) * (blue[1] - red[1])
                  - (blue[0] - red[0]) * (green[1] - red[1]);

    return is_color(white) && is_color(red) && is_color(green) && is_color(blue) && white[1] > 0
           && fabs(area) > 1e-6;
}

static cmsHPROFILE make_profile(const space_t *space)
{
    const double *xy = space->xy;
    cmsCIExyY white = make_point(xy);
    cmsCIExyYTRIPLE triple = { make_point(xy + 2), make_point(xy + 4), make_point(xy + 6) };
    cmsToneCurve *curve = cmsBuildParametricToneCurve(NULL, 4, space->transfer.curve);
    cmsToneCurve *curves[3] = { curve, curve, curve };
    cmsHPROFILE profile;

    if (!curve) {
        return NULL;
    }
    profile = cmsCreateRGBProfile(&white, &triple, curves);
    cmsFreeToneCurve(curve);
    return profile;
}

static void attach_profile(cmsHPROFILE profile, VipsImage *image)
{
    cmsUInt32Number length = 0;
    void *bytes;

    if (!cmsSaveProfileToMem(profile, NULL, &length)) {
        return;
    }
    bytes = malloc(length);
    if (bytes && cmsSaveProfileToMem(profile, bytes, &length)) {
        vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, bytes, length);
    }
    free(bytes);
}

/* Read the relative luminance of the primaries from a matrix that littleCMS computes. */
static bool read_luminance(const space_t *space, double luminance[3])
{
    static const cmsTagSignature tags[] = { cmsSigRedColorantTag, cmsSigGreenColorantTag,
                                            cmsSigBlueColorantTag };
    cmsHPROFILE profile = make_profile(space);
    bool is_read = profile != NULL;

    for (int i = 0; is_read && i < 3; i++) {
        const cmsCIEXYZ *color = cmsReadTag(profile, tags[i]);

        is_read = color != NULL;
        luminance[i] = is_read ? color->Y : 0;
    }
    if (profile) {
        cmsCloseProfile(profile);
    }
    return is_read;
}

/* Applying ------------------------------------------------------------------------------------ */

static int apply_profile(const space_t *space, VipsImage *in, VipsImage **out)
{
    cmsHPROFILE profile = make_profile(space);

    if (vips_copy(in, out, NULL) != 0) {
        return -1;
    }
    if (profile) {
        attach_profile(profile, *out);
        cmsCloseProfile(profile);
    }
    return 0;
}

static int apply_hdr(const iimg_color_t *color, space_t *space, VipsImage *in, VipsImage **out)
{
    iimg_hdr_t hdr = space->transfer.kind == PQ ? IIMG_HDR_PQ : IIMG_HDR_HLG;
    VipsImage *mapped;
    double luminance[3];

    space->transfer = (transfer_t)GAMMA(1);
    if (!read_luminance(space, luminance)
        || iimg_tone_map(in, hdr, luminance, color->most_light, &mapped) != 0) {
        return -1;
    }
    return apply_profile(space, mapped, out);
}

static int drop_profile(VipsImage *in, VipsImage **out)
{
    if (vips_copy(in, out, NULL) != 0) {
        return -1;
    }
    vips_image_remove(*out, VIPS_META_ICC_NAME);
    return 0;
}

/* littleCMS is inaccurate in the shadows of gray pictures of 16 bits: convert them as RGB. */
static int make_rgb(VipsImage *in, VipsImage **out)
{
    bool is_deep = in->BandFmt == VIPS_FORMAT_USHORT;
    VipsImage *bands[4], *joined;
    int count = in->Bands + 2;

    if (in->Bands >= 3) {
        *out = in;
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (vips_extract_band(in, &bands[i], i < 3 ? 0 : 1, NULL) != 0) {
            return -1;
        }
    }
    if (vips_bandjoin(bands, &joined, count, NULL) != 0) {
        return -1;
    }
    return vips_copy(joined, out, "interpretation",
                     is_deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, NULL);
}

int iimg_color_apply(const iimg_color_t *color, VipsImage *in, VipsImage **out)
{
    bool has_profile = vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0;
    VipsImage *rgb;
    bool is_stated;
    space_t space;

    *out = in;
    is_stated = read_code_points(color, &space);
    if ((has_profile && (!is_stated || color->is_video))
        || (!is_stated && !read_gamma(color, &space)) || !is_valid_space(&space)) {
        return 0;
    }
    if (is_srgb(&space)) {
        return has_profile ? drop_profile(in, out) : 0;
    }
    if (make_rgb(in, &rgb) != 0) {
        return -1;
    }
    return space.transfer.kind == CURVE ? apply_profile(&space, rgb, out)
                                        : apply_hdr(color, &space, rgb, out);
}
