/* picture_source.c - open a picture: remove metadata, check limits, choose the loader. */
#include "worker/picture_source.h"

#include <stdlib.h>
#include <string.h>

static void refuse_picture(iimg_work_t *work, const char *why)
{
    work->answer.status = IIMG_WORK_UNREADABLE;
    snprintf(work->answer.said, sizeof(work->answer.said), "%s", why);
}

/* Loaders by magic bytes, so that libvips does not guess -------------------------------------- */

static int load_jpeg(void *data, size_t length, VipsImage **out, int shrink)
{
    return vips_jpegload_buffer(data, length, out, "shrink", shrink, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
}

/* The end marker was appended: pixels may be missing, of which libjpeg only warns. */
static int load_unended_jpeg(void *data, size_t length, VipsImage **out, int shrink)
{
    return vips_jpegload_buffer(data, length, out, "shrink", shrink, "access",
                                VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_WARNING, NULL);
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

static const iimg_load_fn loaders_by_format[] = {
    [IIMG_FORMAT_JPEG] = load_jpeg, [IIMG_FORMAT_PNG] = load_png,   [IIMG_FORMAT_WEBP] = load_webp,
    [IIMG_FORMAT_GIF] = load_gif,   [IIMG_FORMAT_HEIC] = load_heif, [IIMG_FORMAT_AVIF] = load_heif,
};

/* Header -------------------------------------------------------------------------------------- */

/* Set the size in the answer, and the status if the limit is exceeded. A baseline JPEG has a limit
 * of its own: it is decoded in strips. */
static bool check_pixels(iimg_work_t *work, uint64_t width, uint64_t height, bool is_baseline_jpeg)
{
    uint64_t most = is_baseline_jpeg ? work->request->max_pixels_jpeg : work->request->max_pixels;

    work->answer.width = (uint32_t)width;
    work->answer.height = (uint32_t)height;
    if (width * height <= most) {
        return true;
    }
    work->answer.status = IIMG_WORK_TOO_MANY_PIXELS;
    work->answer.limit = most;
    return false;
}

static bool check_profile(iimg_work_t *work, uint64_t length)
{
    if (length <= IIMG_WORK_MAX_PROFILE) {
        return true;
    }
    work->answer.status = IIMG_WORK_LARGE_PROFILE;
    work->answer.limit = length;
    return false;
}

/* Most pictures have their metadata in front: only the head is rewritten. */
static bool apply_edit(const iimg_edit_t *edit, iimg_work_t *work, iimg_source_t *source)
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
    clean = iimg_edit_apply_within(edit, length, work->data);
    if (!clean) {
        clean = malloc(length ? length : 1);
        if (!clean) {
            return false;
        }
        iimg_edit_apply(edit, work->data, clean);
    }
    source->data = clean;
    return true;
}

/* Remove metadata, and check the sizes in the container before libvips reads it. */
static bool remove_metadata(iimg_work_t *work, iimg_source_t *source)
{
    iimg_edit_step_t *steps = malloc(IIMG_EDIT_MAX_STEPS * sizeof(*steps));
    iimg_metadata_t metadata;
    const char *problem;

    if (!steps) {
        refuse_picture(work, "out of memory");
        return false;
    }
    problem = iimg_metadata_filter(source->format, work->data, work->length, steps, &metadata);
    if (problem || !apply_edit(&metadata.edit, work, source)) {
        refuse_picture(work, problem ? problem : "its metadata cannot be removed");
        return false;
    }
    source->unended = metadata.unended;
    source->still_length = metadata.still_length;
    if (source->format == IIMG_FORMAT_JPEG && source->unended) {
        source->load = load_unended_jpeg;
    }
    source->color = metadata.color;
    source->is_lossless = metadata.is_lossless;
    work->steps = steps;
    work->answer.step_count = (uint32_t)metadata.edit.count;
    work->answer.insert_length = (uint32_t)metadata.edit.insert_length;
    memcpy(work->answer.inserts, metadata.edit.inserts, sizeof(work->answer.inserts));
    return check_pixels(work, metadata.width, metadata.height,
                        source->format == IIMG_FORMAT_JPEG && !metadata.progressive)
           && check_profile(work, metadata.icc_length);
}

bool iimg_source_is_progressive(VipsImage *opened)
{
    int flag = 0;

    return vips_image_get_typeof(opened, "jpeg-multiscan")
           && vips_image_get_int(opened, "jpeg-multiscan", &flag) == 0 && flag != 0;
}

static bool check_header(iimg_work_t *work, VipsImage *image, iimg_source_t *source)
{
    bool is_baseline = source->format == IIMG_FORMAT_JPEG && !iimg_source_is_progressive(image);
    const void *profile;
    size_t length = 0;

    source->width = vips_image_get_width(image);
    source->height = vips_image_get_height(image);
    if (!check_pixels(work, (uint64_t)source->width, (uint64_t)source->height, is_baseline)) {
        return false;
    }
    return !vips_image_get_typeof(image, VIPS_META_ICC_NAME)
           || vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length) != 0
           || check_profile(work, length);
}

/* Only the first frame of an animation is used. The others are cut off in this process' mapping, so
 * that a damaged later frame is no error. */
static int load_first_frame(iimg_source_t *source, VipsImage **image)
{
    unsigned char *data = (unsigned char *)source->data;

    if (source->still_length == 0 || source->still_length >= source->length) {
        return -1;
    }
    source->length = source->still_length;
    if (source->format == IIMG_FORMAT_GIF) {
        data[source->length++] = ';';
    }
    else {
        for (int i = 0; i < 4; i++) {
            data[4 + i] = (unsigned char)((source->length - 8) >> 8 * i);
        }
    }
    vips_error_clear();
    return source->load(data, source->length, image, 1);
}

bool iimg_source_open(iimg_work_t *work, iimg_source_t *source, VipsImage **image)
{
    source->format = iimg_media_type_sniff(work->data, work->length)->format;
    if (source->format == IIMG_FORMAT_UNKNOWN) {
        refuse_picture(work, "unsupported picture format");
        return false;
    }
    source->load = loaders_by_format[source->format];
    if (!remove_metadata(work, source)) {
        return false;
    }
    if (source->load((void *)source->data, source->length, image, 1) != 0
        && load_first_frame(source, image) != 0) {
        iimg_work_fail(work, IIMG_WORK_UNREADABLE);
        return false;
    }
    return check_header(work, *image, source);
}
