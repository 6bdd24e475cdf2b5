/* picture.c - what is asked of strangers' pictures: one decode, three derivatives. */
#include "worker/picture.h"

#include <stdbool.h>
#include "services/picture_key.h"
#include "worker/jpeg.h"
#include "worker/picture_pixels.h"
#include "worker/picture_source.h"

#define REFERENCE_QUALITY 90    /* of what a provider looks at */

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

/* Saving -------------------------------------------------------------------------------------- */

int iimg_picture_save_jpeg(VipsImage *image, int quality, iimg_piece_t *piece)
{
    iimg_pixels_t pixels;

    if (iimg_pixels_are_plain(image, &pixels) && pixels.bands == 3) {
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
    save_fn save = choose_saver(work, vips_image_hasalpha(large));
    VipsImage *image = large;

    for (int size = IIMG_LARGE; size >= IIMG_THUMBNAIL; size--) {
        image = iimg_pixels_fit(image, iimg_sizes[size].box);
        if (!image || save(image, (int)work->request->quality, &work->pieces[size]) != 0) {
            return -1;
        }
    }
    work->answer.piece_count = IIMG_SIZES;
    return 0;
}

static int derive(iimg_work_t *work, const iimg_source_t *source, VipsImage *opened)
{
    VipsImage *large;

    return iimg_pixels_decode(source, opened, iimg_sizes[IIMG_LARGE].box, &large) == 0
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

static int make_reference(iimg_work_t *work, const iimg_source_t *source, VipsImage *opened)
{
    VipsImage *image, *flat;

    if (iimg_pixels_decode(source, opened, (int)work->request->side, &image) != 0
        || flatten(image, &flat) != 0
        || iimg_picture_save_jpeg(flat, REFERENCE_QUALITY, &work->pieces[0]) != 0) {
        return -1;
    }
    work->answer.format = IIMG_FORMAT_JPEG;
    work->answer.piece_count = 1;
    return 0;
}

/* Headers are enough, unless the end is missing: then it is the pixels that tell whether the rest is
 * there. */
static int inspect(iimg_work_t *work, const iimg_source_t *source, VipsImage *opened)
{
    VipsImage *image;

    (void)work;
    return source->unended
               ? iimg_pixels_decode(source, opened, iimg_sizes[IIMG_THUMBNAIL].box, &image) : 0;
}

void iimg_picture_work(iimg_work_t *work)
{
    static int (*const works[])(iimg_work_t *, const iimg_source_t *, VipsImage *) = {
        [IIMG_WORK_DERIVE] = derive, [IIMG_WORK_REFERENCE] = make_reference,
        [IIMG_WORK_INSPECT] = inspect,
    };
    iimg_source_t source = { 0 };
    VipsImage *opened = NULL;

    work->answer.status = IIMG_WORK_DONE;
    if (iimg_source_open(work, &source, &opened)
        && works[work->request->kind](work, &source, opened) != 0) {
        iimg_work_fail(work, IIMG_WORK_UNREADABLE);
    }
}
