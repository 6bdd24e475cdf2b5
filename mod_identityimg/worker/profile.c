/* profile.c - convert pictures from ICC profiles to sRGB. */
#include "worker/profile.h"

#include <lcms2.h>
#include <stdbool.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Most profiles are this one, which is sRGB. Applying it takes a tenth of the time of a picture and
 * changes no pixel. */
static bool is_plain_srgb(VipsImage *image)
{
    static const char digest[] = "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e";
    const void *profile;
    size_t length;
    gchar *sum;
    bool is;

    if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length) != 0 || length != 3144) {
        return false;
    }
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, profile, length);
    is = strcmp(sum, digest) == 0;
    g_free(sum);
    return is;
}

static bool is_cmyk(VipsImage *image)
{
    return vips_image_guess_interpretation(image) == VIPS_INTERPRETATION_CMYK;
}

/* Whether the picture is in another color space than sRGB. */
static bool is_managed(VipsImage *image)
{
    if (is_cmyk(image)) {
        return true;
    }
    return vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0
           && !(image->Bands >= 3 && is_plain_srgb(image));
}

/* libvips treats 16-bit alpha as 8-bit alpha when it applies a profile. */
static int apply_profile_beside_alpha(VipsImage *in, VipsIntent intent, VipsImage **out)
{
    int bands = in->Bands - 1;
    VipsImage *colors, *alpha, *scaled, *plain;

    if (vips_extract_band(in, &colors, 0, "n", bands, NULL) != 0
        || vips_extract_band(in, &alpha, bands, NULL) != 0
        || vips_linear1(alpha, &scaled, 1 / 257.0, 0, "uchar", TRUE, NULL) != 0
        || vips_icc_transform(colors, &plain, "srgb", "embedded", TRUE, "intent", intent, NULL)
               != 0) {
        return -1;
    }
    return vips_bandjoin2(plain, scaled, out, NULL);
}

static int apply_profile_by(VipsImage *in, VipsIntent intent, VipsImage **out)
{
    if (in->BandFmt == VIPS_FORMAT_USHORT && vips_image_hasalpha(in)) {
        return apply_profile_beside_alpha(in, intent, out);
    }
    return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "intent", intent, NULL);
}

/* Many profiles have only a table for perceptual rendering, and libvips does not fall back to it.
 * @return false when the profile has no usable table */
static bool choose_intent(VipsImage *in, VipsIntent *intent)
{
    static const VipsIntent intents[] = { VIPS_INTENT_RELATIVE, VIPS_INTENT_PERCEPTUAL,
                                          VIPS_INTENT_SATURATION, VIPS_INTENT_ABSOLUTE };
    cmsHPROFILE profile;
    const void *bytes;
    size_t length, i = 0;

    if (vips_image_get_blob(in, VIPS_META_ICC_NAME, &bytes, &length) != 0) {
        return false;
    }
    profile = cmsOpenProfileFromMem(bytes, (cmsUInt32Number)length);
    if (!profile) {
        return false;
    }
    while (i < COUNT(intents)
           && !cmsIsIntentSupported(profile, (cmsUInt32Number)intents[i], LCMS_USED_AS_INPUT)) {
        i++;
    }
    cmsCloseProfile(profile);
    *intent = i < COUNT(intents) ? intents[i] : VIPS_INTENT_RELATIVE;
    return i < COUNT(intents);
}

static int apply_profile(VipsImage *in, VipsImage **out)
{
    VipsIntent intent = VIPS_INTENT_RELATIVE;
    VipsImage *planned;

    if (!choose_intent(in, &intent) && !is_cmyk(in)) {
        return -1;
    }
    if (apply_profile_by(in, intent, &planned) != 0) {
        return -1;
    }
    *out = vips_image_copy_memory(planned);
    return *out ? 0 : -1;
}

int iimg_profile_to_srgb(VipsImage *in, VipsImage **out)
{
    if (is_managed(in) && apply_profile(in, out) == 0) {
        return 0;
    }
    vips_error_clear();
    if (in->Type == VIPS_INTERPRETATION_sRGB && in->BandFmt == VIPS_FORMAT_UCHAR) {
        *out = in;
        return 0;
    }
    return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, NULL);
}
