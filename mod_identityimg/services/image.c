/* image.c - decoding strangers' pictures with libvips: one decode, three derivatives. */
#include "services/image_internal.h"

#include <malloc.h>
#include <math.h>
#include <string.h>
#include <apr_strings.h>
#include "base/log.h"

#define QUALITY 80              /* of derivatives */
#define REFERENCE_QUALITY 90    /* of what a provider looks at */
#define MAX_ICC (4 * 1024 * 1024)

typedef int (*load_fn)(void *data, size_t length, VipsImage **out, int shrink);

typedef struct source_t {
    const char *data;
    apr_size_t length;
    const iimg_media_type_t *type;
    load_fn load;
    int width, height;          /* as stored, before orientation */
} source_t;

/* Start --------------------------------------------------------------------------------------- */

/* GLib's own writer would print strangers' problems into httpd's error log. */
static GLogWriterOutput keep_quiet(GLogLevelFlags level, const GLogField *fields, gsize count,
                                   gpointer data)
{
    (void)level, (void)fields, (void)count, (void)data;
    return G_LOG_WRITER_HANDLED;
}

const char *iimg_image_start(apr_pool_t *pool)
{
    static const char *const loaders[] = {
        "VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
        "VipsForeignLoadNsgif", "VipsForeignLoadHeif", NULL,
    };

    /* Large buffers go back to the system when a picture is done: left to itself glibc raises its
     * threshold and keeps twice as much. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    g_log_set_writer_func(keep_quiet, NULL, NULL);
    if (VIPS_INIT("mod_identityimg") != 0) {
        return iimg_vips_said(pool);
    }
    vips_concurrency_set(1);            /* requests run beside one another already */
    vips_cache_set_max(0);              /* nothing of one user's picture is kept for the next */
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (int i = 0; loaders[i]; i++) {
        vips_operation_block_set(loaders[i], FALSE);
    }
    return NULL;
}

/* libvips in pools ---------------------------------------------------------------------------- */

static apr_status_t drop_image(void *data)
{
    g_object_unref(data);
    return APR_SUCCESS;
}

VipsImage *iimg_vips_own(apr_pool_t *pool, VipsImage *image)
{
    if (image) {
        apr_pool_cleanup_register(pool, image, drop_image, apr_pool_cleanup_null);
    }
    return image;
}

const char *iimg_vips_said(apr_pool_t *pool)
{
    char *text = vips_error_buffer_copy();
    char *said = apr_pstrdup(pool, g_strchomp(text));

    g_free(text);
    for (char *p = said; *p; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    return said;
}

static iimg_error_t *unreadable(iimg_context_t *context, const source_t *source)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_INVALID,
                                   "The %s picture is damaged or not a real %s picture. "
                                   "Upload a valid %s picture.",
                                   source->type->name, source->type->name,
                                   iimg_media_types_allowed);

    iimg_error_code(iimg_error_field(err, "image"), "unsupported_image");
    return iimg_error_detail(err, "libvips: %s", iimg_vips_said(context->pool));
}

/* Loaders: the one of the magic bytes, so that libvips never sniffs ---------------------------- */

static int load_jpeg(void *data, size_t length, VipsImage **out, int shrink)
{
    return vips_jpegload_buffer(data, length, out, "shrink", shrink, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
}

static int load_png(void *data, size_t length, VipsImage **out, int shrink)
{
    (void)shrink;
    return vips_pngload_buffer(data, length, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                               VIPS_FAIL_ON_ERROR, NULL);
}

static int load_webp(void *data, size_t length, VipsImage **out, int shrink)
{
    (void)shrink;
    return vips_webpload_buffer(data, length, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                VIPS_FAIL_ON_ERROR, NULL);
}

static int load_gif(void *data, size_t length, VipsImage **out, int shrink)
{
    (void)shrink;
    return vips_gifload_buffer(data, length, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                               VIPS_FAIL_ON_ERROR, NULL);
}

static int load_heif(void *data, size_t length, VipsImage **out, int shrink)
{
    (void)shrink;
    return vips_heifload_buffer(data, length, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                VIPS_FAIL_ON_ERROR, NULL);
}

static const load_fn loaders_by_format[] = {
    [IIMG_FORMAT_JPEG] = load_jpeg, [IIMG_FORMAT_PNG] = load_png,   [IIMG_FORMAT_WEBP] = load_webp,
    [IIMG_FORMAT_GIF] = load_gif,   [IIMG_FORMAT_HEIC] = load_heif, [IIMG_FORMAT_AVIF] = load_heif,
};

/* Header -------------------------------------------------------------------------------------- */

static iimg_error_t *too_many_pixels(iimg_context_t *context, const source_t *source,
                                     apr_size_t most)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_TOO_LARGE,
                                   "The picture has %.1f megapixels (%d x %d); at most %.0f are "
                                   "allowed.",
                                   (double)source->width * source->height / 1e6, source->width,
                                   source->height, (double)most / 1e6);

    return iimg_error_code(iimg_error_field(err, "image"), "too_many_pixels");
}

static bool is_set(VipsImage *image, const char *field)
{
    int flag = 0;

    return vips_image_get_typeof(image, field) && vips_image_get_int(image, field, &flag) == 0
           && flag != 0;
}

static iimg_error_t *check_header(iimg_context_t *context, VipsImage *image, source_t *source,
                                  const iimg_image_limits_t *limits)
{
    bool strips;
    apr_size_t most;
    const void *profile;
    size_t icc = 0;

    source->width = vips_image_get_width(image);
    source->height = vips_image_get_height(image);
    strips = source->type->format == IIMG_FORMAT_JPEG && !is_set(image, "jpeg-multiscan");
    most = strips ? limits->max_pixels_jpeg : limits->max_pixels;
    if ((apr_size_t)source->width * (apr_size_t)source->height > most) {
        return too_many_pixels(context, source, most);
    }
    if (vips_image_get_typeof(image, VIPS_META_ICC_NAME)
        && vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &icc) == 0 && icc > MAX_ICC) {
        return iimg_error_code(
            iimg_error_field(iimg_error(context->pool, IIMG_INVALID,
                                        "The picture's colour profile has %.1f MB; at most 4 are "
                                        "allowed.", (double)icc / 1048576), "image"),
            "unsupported_image");
    }
    return NULL;
}

static iimg_error_t *sniff(iimg_context_t *context, const char *data, apr_size_t length,
                           source_t *source)
{
    memset(source, 0, sizeof(*source));
    source->data = data;
    source->length = length;
    source->type = iimg_media_type_sniff(data, length);
    if (source->type->format == IIMG_FORMAT_UNKNOWN) {
        iimg_error_t *err = iimg_error(context->pool, IIMG_INVALID,
                                       "The file is %s, not a picture we read. Upload a valid %s "
                                       "picture.", iimg_media_type_describe(data, length),
                                       iimg_media_types_allowed);

        return iimg_error_code(iimg_error_field(err, "image"), "unsupported_image");
    }
    source->load = loaders_by_format[source->type->format];
    return NULL;
}

/* Opens the picture: its header is read and checked, no pixel is decoded. */
static iimg_error_t *open_source(iimg_context_t *context, apr_pool_t *pool, const char *data,
                                 apr_size_t length, const iimg_image_limits_t *limits,
                                 source_t *source, VipsImage **image)
{
    iimg_error_t *err = sniff(context, data, length, source);

    *image = NULL;
    if (err) {
        return err;
    }
    if (source->load((void *)data, length, image, 1) != 0) {
        g_clear_object(image);
        return unreadable(context, source);
    }
    iimg_vips_own(pool, *image);
    return check_header(context, *image, source, limits);
}

/* Pixels -------------------------------------------------------------------------------------- */

/* JPEG's decoder can halve while it decodes. The largest halving that still leaves `box` pixels
 * costs least and is sharp enough. */
static int jpeg_shrink(const source_t *source, int box)
{
    int longer = VIPS_MAX(source->width, source->height), shrink = 8;

    while (shrink > 1 && longer / shrink < box) {
        shrink /= 2;
    }
    return shrink;
}

static int fit(int side, double scale)
{
    return VIPS_MAX(1, (int)rint(side * scale));
}

/* Resizes into box x box, never enlarging. */
static int resize_into(VipsImage *in, VipsImage **out, int box)
{
    double scale = (double)box / VIPS_MAX(in->Xsize, in->Ysize);

    if (scale >= 1) {
        return vips_copy(in, out, NULL);
    }
    return vips_resize(in, out, (double)fit(in->Xsize, scale) / in->Xsize, "vscale",
                       (double)fit(in->Ysize, scale) / in->Ysize, NULL);
}

/* Averages of colours under transparent pixels would show at the edges: weigh by alpha. */
static int resize_alpha_into(apr_pool_t *pool, VipsImage *in, VipsImage **out, int box)
{
    VipsBandFormat format = in->BandFmt;
    VipsImage *weighed, *small, *plain;

    if (vips_premultiply(in, &weighed, NULL) != 0) {
        return -1;
    }
    iimg_vips_own(pool, weighed);
    if (resize_into(weighed, &small, box) != 0) {
        return -1;
    }
    iimg_vips_own(pool, small);
    if (vips_unpremultiply(small, &plain, NULL) != 0) {
        return -1;
    }
    iimg_vips_own(pool, plain);
    return vips_cast(plain, out, format, NULL);
}

/* Into 8-bit sRGB: through the embedded profile where there is one, else by libvips' own rules.
 * Broken profiles exist in real files: then go on without. */
static int to_srgb(apr_pool_t *pool, VipsImage *in, VipsImage **out)
{
    bool managed = vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0
                   || vips_image_guess_interpretation(in) == VIPS_INTERPRETATION_CMYK;
    VipsImage *managed_image;

    if (managed && vips_icc_transform(in, &managed_image, "srgb", "embedded", TRUE, "intent",
                                      VIPS_INTENT_RELATIVE, NULL) == 0) {
        *out = vips_image_copy_memory(iimg_vips_own(pool, managed_image));
        if (*out) {
            return 0;
        }
    }
    vips_error_clear();
    return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, NULL);
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

/* Only as much as is needed: JPEG's own halving, then the resampling filter. */
static int shrink_into(apr_pool_t *pool, const source_t *source, VipsImage *opened, int box,
                       VipsImage **out)
{
    int shrink = source->type->format == IIMG_FORMAT_JPEG ? jpeg_shrink(source, box) : 1;
    VipsImage *image = opened;

    if (shrink > 1) {
        if (source->load((void *)source->data, source->length, &image, shrink) != 0) {
            return -1;
        }
        iimg_vips_own(pool, image);
    }
    return vips_image_hasalpha(image) ? resize_alpha_into(pool, image, out, box)
                                      : resize_into(image, out, box);
}

static int make_upright(const source_t *source, VipsImage *in, VipsImage **out)
{
    if (source->load == load_heif) {
        /* libheif has turned the picture already, by its own boxes. */
        vips_image_remove(in, VIPS_META_ORIENTATION);
    }
    return vips_autorot(in, out, NULL);
}

static int drop_opaque_alpha(VipsImage *in, VipsImage **out)
{
    if (vips_image_hasalpha(in) && !has_transparent_pixels(in)) {
        return vips_extract_band(in, out, 0, "n", in->Bands - 1, NULL);
    }
    return vips_copy(in, out, NULL);
}

/* Runs what was only planned so far. @return NULL when that fails */
static VipsImage *computed(apr_pool_t *pool, VipsImage *planned)
{
    return iimg_vips_own(pool, vips_image_copy_memory(iimg_vips_own(pool, planned)));
}

/* Upright, sRGB, within box, in memory; alpha only where something shows through. */
static int decode(apr_pool_t *pool, const source_t *source, VipsImage *opened, int box,
                  VipsImage **out)
{
    VipsImage *small, *plain, *upright;

    if (shrink_into(pool, source, opened, box, &small) != 0) {
        return -1;
    }
    small = computed(pool, small);      /* the one decode happens here */
    if (!small || to_srgb(pool, small, &plain) != 0) {
        return -1;
    }
    iimg_vips_own(pool, plain);
    if (make_upright(source, plain, &upright) != 0) {
        return -1;
    }
    upright = computed(pool, upright);
    if (!upright || drop_opaque_alpha(upright, out) != 0) {
        return -1;
    }
    iimg_vips_own(pool, *out);
    return 0;
}

/* Saving -------------------------------------------------------------------------------------- */

static void take_buffer(apr_pool_t *pool, void *buffer, size_t size, iimg_derivative_t *out)
{
    out->data = apr_pmemdup(pool, buffer, size);
    out->length = size;
    g_free(buffer);
}

int iimg_vips_save_jpeg(apr_pool_t *pool, VipsImage *image, int quality, iimg_derivative_t *out)
{
    void *buffer = NULL;
    size_t size = 0;

    if (vips_jpegsave_buffer(image, &buffer, &size, "Q", quality, "optimize_coding", TRUE,
                             "strip", TRUE, NULL) != 0) {
        return -1;
    }
    take_buffer(pool, buffer, size, out);
    return 0;
}

static int save_png(apr_pool_t *pool, VipsImage *image, iimg_derivative_t *out)
{
    void *buffer = NULL;
    size_t size = 0;

    if (vips_pngsave_buffer(image, &buffer, &size, "strip", TRUE, NULL) != 0) {
        return -1;
    }
    take_buffer(pool, buffer, size, out);
    return 0;
}

/* Each size from the next larger one, which is in memory. */
static int make_sizes(apr_pool_t *pool, VipsImage *large, iimg_derived_t *derived)
{
    bool alpha = vips_image_hasalpha(large);
    VipsImage *image = large, *next;

    for (int size = IIMG_LARGE; size >= IIMG_THUMBNAIL; size--) {
        if ((alpha ? resize_alpha_into(pool, image, &next, iimg_sizes[size].box)
                   : resize_into(image, &next, iimg_sizes[size].box)) != 0) {
            return -1;
        }
        image = computed(pool, next);
        if (!image) {
            return -1;
        }
        if ((alpha ? save_png(pool, image, &derived->sizes[size])
                   : iimg_vips_save_jpeg(pool, image, QUALITY, &derived->sizes[size])) != 0) {
            return -1;
        }
    }
    derived->sized_type = iimg_media_type_by_extension(alpha ? "png" : "jpg");
    return 0;
}

/* The heavy memory of one picture goes when its step ends, not with the request. */
static iimg_error_t *derive_within(iimg_context_t *context, apr_pool_t *pool, source_t *source,
                                   VipsImage *opened, iimg_derived_t *derived)
{
    apr_time_t began = iimg_step_begin(context);
    VipsImage *large;

    if (decode(pool, source, opened, iimg_sizes[IIMG_LARGE].box, &large) != 0) {
        return unreadable(context, source);
    }
    iimg_step_end(context, began, "decode", source->type->name);
    began = iimg_step_begin(context);
    if (make_sizes(pool, large, derived) != 0) {
        return unreadable(context, source);
    }
    iimg_step_end(context, began, "derivatives", NULL);
    return NULL;
}

static void keep_sizes(apr_pool_t *pool, iimg_derived_t *derived)
{
    for (int size = 0; size < IIMG_SIZES; size++) {
        derived->sizes[size].data =
            apr_pmemdup(pool, derived->sizes[size].data, derived->sizes[size].length);
    }
}

/* A pool for one picture; what it holds counts in no request's memory afterwards. */
static apr_pool_t *step_pool(iimg_context_t *context)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, context->pool);
    apr_pool_tag(pool, "identityimg_picture");
    return pool;
}

iimg_error_t *iimg_image_derive(iimg_context_t *context, const char *data, apr_size_t length,
                                const iimg_image_limits_t *limits, iimg_derived_t **derived)
{
    apr_pool_t *outer = context->pool, *pool = step_pool(context);
    iimg_derived_t *made = apr_pcalloc(outer, sizeof(*made));
    VipsImage *opened = NULL;
    source_t source;
    iimg_error_t *err;

    err = open_source(context, pool, data, length, limits, &source, &opened);
    if (!err) {
        err = derive_within(context, pool, &source, opened, made);
    }
    if (!err) {
        made->type = source.type;
        made->width = source.width;
        made->height = source.height;
        keep_sizes(outer, made);
        *derived = made;
    }
    apr_pool_destroy(pool);
    return err;
}

/* What shows through is white, as on a page. (vips_flatten itself takes any last band for alpha.) */
static int flatten(VipsImage *in, VipsImage **out)
{
    VipsArrayDouble *white;
    int rc;

    if (!vips_image_hasalpha(in)) {
        return vips_copy(in, out, NULL);
    }
    white = vips_array_double_newv(1, 255.0);
    rc = vips_flatten(in, out, "background", white, NULL);
    vips_area_unref(VIPS_AREA(white));
    return rc;
}

iimg_error_t *iimg_image_reference(iimg_context_t *context, const char *data, apr_size_t length,
                                   const iimg_image_limits_t *limits, int max_side,
                                   iimg_derivative_t *reference)
{
    apr_pool_t *pool = step_pool(context);
    VipsImage *opened = NULL, *image, *flat = NULL;
    source_t source;
    iimg_error_t *err = open_source(context, pool, data, length, limits, &source, &opened);

    if (!err && (decode(pool, &source, opened, max_side, &image) != 0
                 || flatten(image, &flat) != 0
                 || iimg_vips_save_jpeg(context->pool, iimg_vips_own(pool, flat),
                                        REFERENCE_QUALITY, reference) != 0)) {
        err = unreadable(context, &source);
    }
    apr_pool_destroy(pool);
    return err;
}

iimg_error_t *iimg_image_size(iimg_context_t *context, const char *data, apr_size_t length,
                              const iimg_image_limits_t *limits, int *width, int *height)
{
    apr_pool_t *pool = step_pool(context);
    VipsImage *opened = NULL;
    source_t source;
    iimg_error_t *err = open_source(context, pool, data, length, limits, &source, &opened);

    if (!err) {
        *width = source.width;
        *height = source.height;
    }
    apr_pool_destroy(pool);
    return err;
}
