/* picture_pixels.c - decode pixels once, shrink them, convert them to sRGB, turn them upright. */
#include "worker/picture_pixels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "worker/color.h"
#include "worker/jpeg.h"
#include "worker/profile.h"

/* JPEG's decoder can halve a picture while it decodes. The largest factor that leaves at least
 * `box` pixels is the fastest. */
static int jpeg_shrink(const iimg_source_t *source, int box)
{
    int longer = VIPS_MAX(source->width, source->height), shrink = 8;

    while (shrink > 1 && longer / shrink < box) {
        shrink /= 2;
    }
    return shrink;
}

static int scale_side(int side, double scale)
{
    return VIPS_MAX(1, (int)rint(side * scale));
}

bool iimg_pixels_are_plain(const VipsImage *image, iimg_pixels_t *pixels)
{
    *pixels = (iimg_pixels_t){ image->data, image->Xsize, image->Ysize, image->Bands };
    return (image->dtype == VIPS_IMAGE_SETBUF || image->dtype == VIPS_IMAGE_SETBUF_FOREIGN)
           && image->BandFmt == VIPS_FORMAT_UCHAR && image->Bands <= IIMG_RESAMPLE_BANDS
           && !vips_image_hasalpha((VipsImage *)image);
}

/* Make an image of pixels, with the interpretation of another image. */
static int wrap_pixels(const iimg_pixels_t *pixels, VipsImage *like, VipsImage **out)
{
    size_t size = (size_t)pixels->width * (size_t)pixels->height * (size_t)pixels->bands, length;
    int orientation = vips_image_get_orientation(like);
    const void *profile;

    *out = vips_image_new_from_memory(pixels->data, size, pixels->width, pixels->height,
                                      pixels->bands, VIPS_FORMAT_UCHAR);
    if (!*out) {
        return -1;
    }
    (*out)->Type = like->Type;
    if (orientation > 1) {
        vips_image_set_int(*out, VIPS_META_ORIENTATION, orientation);
    }
    if (vips_image_get_typeof(like, VIPS_META_ICC_NAME)
        && vips_image_get_blob(like, VIPS_META_ICC_NAME, &profile, &length) == 0) {
        vips_image_set_blob_copy(*out, VIPS_META_ICC_NAME, profile, length);
    }
    return 0;
}

/* Shrink pixels in memory with resample.c, others with libvips. */
static int resize_image(VipsImage *in, VipsImage **out, int width, int height)
{
    iimg_pixels_t pixels, fewer = { .width = width, .height = height, .bands = in->Bands };

    if (iimg_pixels_are_plain(in, &pixels)) {
        return iimg_resample(&pixels, &fewer) ? wrap_pixels(&fewer, in, out) : -1;
    }
    return vips_resize(in, out, (double)width / in->Xsize, "vscale", (double)height / in->Ysize,
                       NULL);
}

/* Shrink into box x box. */
static int resize_into(VipsImage *in, VipsImage **out, int box)
{
    double scale = (double)box / VIPS_MAX(in->Xsize, in->Ysize);

    if (scale >= 1) {
        *out = in;
        return 0;
    }
    return resize_image(in, out, scale_side(in->Xsize, scale), scale_side(in->Ysize, scale));
}

/* Premultiply by alpha, so that colors of transparent pixels do not show at edges. */
static int resize_alpha_into(VipsImage *in, VipsImage **out, int box)
{
    VipsBandFormat format = in->BandFmt;
    VipsImage *weighed, *small, *plain;

    if (vips_premultiply(in, &weighed, NULL) != 0 || resize_into(weighed, &small, box) != 0
        || vips_unpremultiply(small, &plain, NULL) != 0) {
        return -1;
    }
    return vips_cast(plain, out, format, NULL);
}

/* Compute the pixels of a lazy image. @return NULL on failure */
static VipsImage *compute_pixels(VipsImage *planned)
{
    return vips_image_copy_memory(planned);
}

/* Shrink pixels that are premultiplied. */
static int resize_premultiplied_into(VipsImage *in, VipsImage **out, int box)
{
    VipsImage *small, *plain;

    if (resize_into(in, &small, box) != 0 || vips_unpremultiply(small, &plain, NULL) != 0) {
        return -1;
    }
    return vips_cast(plain, out, in->BandFmt, NULL);
}

VipsImage *iimg_pixels_fit(VipsImage *in, int box)
{
    VipsImage *small;

    if ((vips_image_hasalpha(in) ? resize_alpha_into(in, &small, box)
                                 : resize_into(in, &small, box))
        != 0) {
        return NULL;
    }
    return compute_pixels(small);
}

static bool has_transparent_pixels(VipsImage *image)
{
    VipsImage *alpha;
    double least = 255;

    if (!vips_image_hasalpha(image)
        || vips_extract_band(image, &alpha, image->Bands - 1, NULL) != 0) {
        return false;
    }
    if (vips_min(alpha, &least, NULL) != 0) {
        least = 255;
    }
    g_object_unref(alpha);
    return least < 255;
}

/* Decode a JPEG and shrink it by a factor of 1, 2, 4 or 8. */
static VipsImage *decode_jpeg(const iimg_source_t *source, VipsImage *opened, int shrink)
{
    VipsImage *image = opened;
    iimg_pixels_t pixels;

    if (opened->Bands != 4 && !iimg_source_is_progressive(opened)) {
        return iimg_jpeg_decode(source->data, source->length, shrink, source->unended, &pixels)
                       && wrap_pixels(&pixels, opened, &image) == 0
                   ? image
                   : NULL;
    }
    if (shrink > 1 && source->load((void *)source->data, source->length, &image, shrink) != 0) {
        return NULL;
    }
    return compute_pixels(image);
}

/* Shrink while decoding if the format allows, then resample. */
static int shrink_into(const iimg_source_t *source, VipsImage *opened, int box, VipsImage **out)
{
    VipsImage *image = opened;

    if (source->format == IIMG_FORMAT_JPEG) {
        image = decode_jpeg(source, opened, jpeg_shrink(source, box));
    }
    if (source->color.is_premultiplied && vips_image_hasalpha(image)) {
        return resize_premultiplied_into(image, out, box);
    }
    *out = image ? iimg_pixels_fit(image, box) : NULL;
    return *out ? 0 : -1;
}

static int make_upright(const iimg_source_t *source, VipsImage *in, VipsImage **out)
{
    if (source->format == IIMG_FORMAT_HEIC || source->format == IIMG_FORMAT_AVIF) {
        /* libheif has applied the orientation of the container. */
        vips_image_remove(in, VIPS_META_ORIENTATION);
    }
    if (vips_image_get_orientation(in) == 1) {
        *out = in;
        return 0;
    }
    return vips_autorot(in, out, NULL);
}

static int drop_opaque_alpha(VipsImage *in, VipsImage **out)
{
    if (vips_image_hasalpha(in) && !has_transparent_pixels(in)) {
        return vips_extract_band(in, out, 0, "n", in->Bands - 1, NULL);
    }
    *out = in;
    return 0;
}

int iimg_pixels_decode(const iimg_source_t *source, VipsImage *opened, int box, VipsImage **out)
{
    VipsImage *small, *described, *plain, *upright;

    if (shrink_into(source, opened, box, &small) != 0 /* decodes the picture */
        || iimg_color_apply(&source->color, small, &described) != 0
        || iimg_profile_to_srgb(described, &plain) != 0
        || make_upright(source, plain, &upright) != 0) {
        return -1;
    }
    upright = compute_pixels(upright);
    if (!upright || drop_opaque_alpha(upright, &plain) != 0) {
        return -1;
    }
    *out = compute_pixels(plain);
    return *out ? 0 : -1;
}
