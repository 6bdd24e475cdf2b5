/* picture.c - decodes strangers' pictures with libvips: one decode, three derivatives. */
#include "worker/picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/media_type.h"
#include "services/picture_key.h"
#include "worker/jpeg.h"
#include "worker/metadata.h"
#include "worker/resample.h"

#define REFERENCE_QUALITY 90    /* of what a provider looks at */

typedef int (*load_fn)(void *data, size_t length, VipsImage **out, int shrink);

/* A picture without private metadata: nothing else reaches libvips. */
typedef struct source_t {
    const unsigned char *data;
    size_t length;
    iimg_format_t format;
    load_fn load;
    int width, height;          /* as stored, before orientation */
} source_t;

/* Start --------------------------------------------------------------------------------------- */

int iimg_picture_start(void)
{
    static const char *const loaders[] = {
        "VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
        "VipsForeignLoadNsgif", "VipsForeignLoadHeif", NULL,
    };

    if (VIPS_INIT("identityimg-worker") != 0) {
        return -1;
    }
    vips_concurrency_set(1);            /* pictures are decoded beside one another already */
    vips_cache_set_max(0);
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (int i = 0; loaders[i]; i++) {
        vips_operation_block_set(loaders[i], FALSE);
    }
    return 0;
}

void iimg_work_fail(iimg_work_t *work, iimg_work_status_t status)
{
    work->answer.status = status;
    snprintf(work->answer.said, sizeof(work->answer.said), "libvips: %s", vips_error_buffer());
}

static void refuse(iimg_work_t *work, const char *why)
{
    work->answer.status = IIMG_WORK_UNREADABLE;
    snprintf(work->answer.said, sizeof(work->answer.said), "%s", why);
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

static bool has_too_many_pixels(iimg_work_t *work, uint64_t width, uint64_t height, bool strips)
{
    uint64_t most = strips ? work->request->max_pixels_jpeg : work->request->max_pixels;

    work->answer.width = (uint32_t)width;
    work->answer.height = (uint32_t)height;
    if (width * height <= most) {
        return false;
    }
    work->answer.status = IIMG_WORK_TOO_MANY_PIXELS;
    work->answer.limit = most;
    return true;
}

static bool has_large_profile(iimg_work_t *work, uint64_t length)
{
    if (length <= IIMG_WORK_MAX_PROFILE) {
        return false;
    }
    work->answer.status = IIMG_WORK_LARGE_PROFILE;
    work->answer.limit = length;
    return true;
}

static bool apply_edit(const iimg_edit_t *edit, iimg_work_t *work, source_t *source)
{
    uint64_t length;
    unsigned char *clean;

    if (!iimg_edit_is_valid(edit, work->length, &length)) {
        return false;
    }
    source->length = length;
    if (edit->count == 1 && edit->steps[0].kind == IIMG_EDIT_KEEP) {
        source->data = work->data + edit->steps[0].offset;
        return true;
    }
    clean = malloc(length ? length : 1);
    if (clean) {
        iimg_edit_apply(edit, work->data, clean);
    }
    source->data = clean;
    return clean != NULL;
}

/* Takes the metadata off; what the container itself says of sizes is judged before libvips sees
 * it. */
static bool filter(iimg_work_t *work, source_t *source)
{
    iimg_edit_step_t *steps = malloc(IIMG_EDIT_MAX_STEPS * sizeof(*steps));
    iimg_metadata_t metadata;
    const char *problem;

    if (!steps) {
        refuse(work, "no memory");
        return false;
    }
    problem = iimg_metadata_filter(source->format, work->data, work->length, steps, &metadata);
    if (problem || !apply_edit(&metadata.edit, work, source)) {
        refuse(work, problem ? problem : "its metadata could not be taken off");
        return false;
    }
    work->steps = steps;
    work->answer.step_count = (uint32_t)metadata.edit.count;
    work->answer.insert_length = (uint32_t)metadata.edit.insert_length;
    memcpy(work->answer.inserts, metadata.edit.inserts, sizeof(work->answer.inserts));
    return !has_too_many_pixels(work, metadata.width, metadata.height,
                                source->format == IIMG_FORMAT_JPEG && !metadata.progressive)
           && !has_large_profile(work, metadata.icc_length);
}

static bool is_set(VipsImage *image, const char *field)
{
    int flag = 0;

    return vips_image_get_typeof(image, field) && vips_image_get_int(image, field, &flag) == 0
           && flag != 0;
}

static bool check_header(iimg_work_t *work, VipsImage *image, source_t *source)
{
    bool strips = source->format == IIMG_FORMAT_JPEG && !is_set(image, "jpeg-multiscan");
    const void *profile;
    size_t length = 0;

    source->width = vips_image_get_width(image);
    source->height = vips_image_get_height(image);
    if (has_too_many_pixels(work, (uint64_t)source->width, (uint64_t)source->height, strips)) {
        return false;
    }
    return !vips_image_get_typeof(image, VIPS_META_ICC_NAME)
           || vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length) != 0
           || !has_large_profile(work, length);
}

/* Opens the picture: its header is read and checked, no pixel is decoded. */
static bool open_source(iimg_work_t *work, source_t *source, VipsImage **image)
{
    source->format = iimg_media_type_sniff(work->data, work->length)->format;
    if (source->format == IIMG_FORMAT_UNKNOWN) {
        refuse(work, "no kind of picture that is read");
        return false;
    }
    source->load = loaders_by_format[source->format];
    if (!filter(work, source)) {
        return false;
    }
    if (source->load((void *)source->data, source->length, image, 1) != 0) {
        iimg_work_fail(work, IIMG_WORK_UNREADABLE);
        return false;
    }
    return check_header(work, *image, source);
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

/* @return whether its pixels are in memory, as bytes that need no weights */
static bool has_plain_pixels(const VipsImage *image, iimg_pixels_t *pixels)
{
    *pixels = (iimg_pixels_t){ image->data, image->Xsize, image->Ysize, image->Bands };
    return (image->dtype == VIPS_IMAGE_SETBUF || image->dtype == VIPS_IMAGE_SETBUF_FOREIGN)
           && image->BandFmt == VIPS_FORMAT_UCHAR && image->Bands <= IIMG_RESAMPLE_BANDS
           && !vips_image_hasalpha((VipsImage *)image);
}

/* Pixels that mean what those of another picture mean. */
static int wrap(const iimg_pixels_t *pixels, VipsImage *like, VipsImage **out)
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

/* Resizes, never enlarging: what is in memory by ourselves, what comes from a loader by libvips. */
static int resize(VipsImage *in, VipsImage **out, int width, int height)
{
    iimg_pixels_t pixels, fewer = { .width = width, .height = height, .bands = in->Bands };

    if (has_plain_pixels(in, &pixels)) {
        return iimg_resample(&pixels, &fewer) ? wrap(&fewer, in, out) : -1;
    }
    return vips_resize(in, out, (double)width / in->Xsize, "vscale", (double)height / in->Ysize,
                       NULL);
}

/* Resizes into box x box, never enlarging. */
static int resize_into(VipsImage *in, VipsImage **out, int box)
{
    double scale = (double)box / VIPS_MAX(in->Xsize, in->Ysize);

    if (scale >= 1) {
        *out = in;
        return 0;
    }
    return resize(in, out, fit(in->Xsize, scale), fit(in->Ysize, scale));
}

/* Averages of colours under transparent pixels would show at the edges: weigh by alpha. */
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

/* The profile that most pictures with one have says no more than that they are sRGB. To carry it
 * out costs a tenth of a picture's time and changes nothing. */
static bool is_plain_srgb(VipsImage *image)
{
    static const char digest[] =
        "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e";
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

/* Whether the picture's numbers mean other colours than sRGB's. */
static bool is_managed(VipsImage *image)
{
    if (vips_image_guess_interpretation(image) == VIPS_INTERPRETATION_CMYK) {
        return true;
    }
    return vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0
           && !(image->Bands >= 3 && is_plain_srgb(image));
}

/* Into 8-bit sRGB: through the embedded profile where there is one, else by libvips' own rules.
 * Broken profiles exist in real files: then go on without. */
static int to_srgb(VipsImage *in, VipsImage **out)
{
    VipsImage *managed_image;

    if (is_managed(in) && vips_icc_transform(in, &managed_image, "srgb", "embedded", TRUE, "intent",
                                      VIPS_INTENT_RELATIVE, NULL) == 0) {
        *out = vips_image_copy_memory(managed_image);
        if (*out) {
            return 0;
        }
    }
    vips_error_clear();
    if (in->Type == VIPS_INTERPRETATION_sRGB && in->BandFmt == VIPS_FORMAT_UCHAR) {
        *out = in;
        return 0;
    }
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

/* Runs what was only planned so far. @return NULL when that fails */
static VipsImage *computed(VipsImage *planned)
{
    return vips_image_copy_memory(planned);
}

/* The pixels of a JPEG, halved while they are decoded. */
static VipsImage *decode_jpeg(const source_t *source, VipsImage *opened, int shrink)
{
    VipsImage *image = opened;
    iimg_pixels_t pixels;

    if (opened->Bands != 4 && !is_set(opened, "jpeg-multiscan")) {
        return iimg_jpeg_decode(source->data, source->length, shrink, &pixels)
                       && wrap(&pixels, opened, &image) == 0 ? image : NULL;
    }
    if (shrink > 1
        && source->load((void *)source->data, source->length, &image, shrink) != 0) {
        return NULL;
    }
    return computed(image);
}

/* Only as much as is needed: JPEG's own halving, then the resampling filter. */
static int shrink_into(const source_t *source, VipsImage *opened, int box, VipsImage **out)
{
    VipsImage *image = opened, *small;

    if (source->format == IIMG_FORMAT_JPEG) {
        image = decode_jpeg(source, opened, jpeg_shrink(source, box));
    }
    if (!image || (vips_image_hasalpha(image) ? resize_alpha_into(image, &small, box)
                                              : resize_into(image, &small, box)) != 0) {
        return -1;
    }
    *out = computed(small);
    return *out ? 0 : -1;
}

static int make_upright(const source_t *source, VipsImage *in, VipsImage **out)
{
    if (source->load == load_heif) {
        /* libheif has turned the picture already, by its own boxes. */
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

/* Upright, sRGB, within box, in memory; alpha only where something shows through. */
static int decode(const source_t *source, VipsImage *opened, int box, VipsImage **out)
{
    VipsImage *small, *plain, *upright;

    if (shrink_into(source, opened, box, &small) != 0   /* the one decode happens here */
        || to_srgb(small, &plain) != 0 || make_upright(source, plain, &upright) != 0) {
        return -1;
    }
    upright = computed(upright);
    if (!upright || drop_opaque_alpha(upright, &plain) != 0) {
        return -1;
    }
    *out = computed(plain);
    return *out ? 0 : -1;
}

/* Saving -------------------------------------------------------------------------------------- */

int iimg_picture_save_jpeg(VipsImage *image, int quality, iimg_piece_t *piece)
{
    iimg_pixels_t pixels;

    if (has_plain_pixels(image, &pixels) && pixels.bands == 3) {
        return iimg_jpeg_encode(&pixels, quality, &piece->data, &piece->length) ? 0 : -1;
    }
    return vips_jpegsave_buffer(image, &piece->data, &piece->length, "Q", quality,
                                "optimize_coding", TRUE, "strip", TRUE, NULL);
}

static int save_png(VipsImage *image, int quality, iimg_piece_t *piece)
{
    (void)quality;
    return vips_pngsave_buffer(image, &piece->data, &piece->length, "strip", TRUE, NULL);
}

static int save_webp(VipsImage *image, int quality, iimg_piece_t *piece)
{
    return vips_webpsave_buffer(image, &piece->data, &piece->length, "Q", quality, "strip", TRUE,
                                NULL);
}

typedef int (*save_fn)(VipsImage *image, int quality, iimg_piece_t *piece);

/* JPEG has no transparency: what shows something through becomes PNG, if WebP is not asked for. */
static save_fn choose_saver(iimg_work_t *work, bool alpha)
{
    if (work->request->format == IIMG_FORMAT_WEBP) {
        work->answer.format = IIMG_FORMAT_WEBP;
        return save_webp;
    }
    work->answer.format = alpha ? IIMG_FORMAT_PNG : IIMG_FORMAT_JPEG;
    return alpha ? save_png : iimg_picture_save_jpeg;
}

/* Each size from the next larger one, which is in memory. */
static int make_sizes(iimg_work_t *work, VipsImage *large)
{
    bool alpha = vips_image_hasalpha(large);
    save_fn save = choose_saver(work, alpha);
    VipsImage *image = large, *next;

    for (int size = IIMG_LARGE; size >= IIMG_THUMBNAIL; size--) {
        if ((alpha ? resize_alpha_into(image, &next, iimg_sizes[size].box)
                   : resize_into(image, &next, iimg_sizes[size].box)) != 0) {
            return -1;
        }
        image = computed(next);
        if (!image || save(image, (int)work->request->quality, &work->pieces[size]) != 0) {
            return -1;
        }
    }
    work->answer.piece_count = IIMG_SIZES;
    return 0;
}

static int derive(iimg_work_t *work, const source_t *source, VipsImage *opened)
{
    VipsImage *large;

    return decode(source, opened, iimg_sizes[IIMG_LARGE].box, &large) == 0
           ? make_sizes(work, large) : -1;
}

/* What shows through is white, as on a page. (vips_flatten itself takes any last band for
 * alpha.) */
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

static int make_reference(iimg_work_t *work, const source_t *source, VipsImage *opened)
{
    VipsImage *image, *flat;

    if (decode(source, opened, (int)work->request->side, &image) != 0 || flatten(image, &flat) != 0
        || iimg_picture_save_jpeg(flat, REFERENCE_QUALITY, &work->pieces[0]) != 0) {
        return -1;
    }
    work->answer.format = IIMG_FORMAT_JPEG;
    work->answer.piece_count = 1;
    return 0;
}

static int inspect(iimg_work_t *work, const source_t *source, VipsImage *opened)
{
    (void)work, (void)source, (void)opened;
    return 0;
}

void iimg_picture_work(iimg_work_t *work)
{
    static int (*const works[])(iimg_work_t *, const source_t *, VipsImage *) = {
        [IIMG_WORK_DERIVE] = derive, [IIMG_WORK_REFERENCE] = make_reference,
        [IIMG_WORK_INSPECT] = inspect,
    };
    source_t source = { 0 };
    VipsImage *opened = NULL;

    work->answer.status = IIMG_WORK_DONE;
    if (open_source(work, &source, &opened)
        && works[work->request->kind](work, &source, opened) != 0) {
        iimg_work_fail(work, IIMG_WORK_UNREADABLE);
    }
}
