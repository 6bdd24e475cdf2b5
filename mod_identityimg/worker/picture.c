/* picture.c - make derivatives and references of a picture from one decode. */
#include "worker/picture.h"

#include <stdbool.h>
#include <string.h>
#include "services/pictures/derivatives.h"
#include "worker/jpeg.h"
#include "worker/picture_pixels.h"
#include "worker/picture_source.h"

#define REFERENCE_QUALITY 90 /* of pictures for the provider */

int iimg_picture_start(void)
{
    static const char *const loaders[] = {
        "VipsForeignLoadJpeg",  "VipsForeignLoadPng",  "VipsForeignLoadWebp",
        "VipsForeignLoadNsgif", "VipsForeignLoadHeif", NULL,
    };

    if (VIPS_INIT("identityimg-worker") != 0) {
        return -1;
    }
    vips_concurrency_set(1); /* pictures are decoded in parallel processes */
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

static int save_jpeg(VipsImage *image, int quality, bool full_colors, iimg_piece_t *piece)
{
    iimg_pixels_t pixels;

    if (iimg_pixels_are_plain(image, &pixels) && pixels.bands == 3) {
        return iimg_jpeg_encode(&pixels, quality, full_colors, &piece->data, &piece->length) ? 0
                                                                                             : -1;
    }
    return vips_jpegsave_buffer(
        image, &piece->data, &piece->length, "Q", quality, "optimize_coding", TRUE, "strip", TRUE,
        "subsample_mode", full_colors ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_AUTO,
        NULL);
}

int iimg_picture_save_jpeg(VipsImage *image, int quality, iimg_piece_t *piece)
{
    return save_jpeg(image, quality, false, piece);
}

static int save_full_jpeg(VipsImage *image, int quality, iimg_piece_t *piece)
{
    return save_jpeg(image, quality, true, piece);
}

static int save_png(VipsImage *image, int quality, iimg_piece_t *piece)
{
    (void)quality;
    return vips_pngsave_buffer(image, &piece->data, &piece->length, "strip", TRUE, NULL);
}

static int save_quick_png(VipsImage *image, int quality, iimg_piece_t *piece)
{
    (void)quality;
    return vips_pngsave_buffer(image, &piece->data, &piece->length, "strip", TRUE, "compression", 1,
                               NULL);
}

static int save_webp(VipsImage *image, int quality, iimg_piece_t *piece)
{
    return vips_webpsave_buffer(image, &piece->data, &piece->length, "Q", quality, "strip", TRUE,
                                NULL);
}

/* WebP always halves the resolution of colors; smart_subsample keeps edges sharp. */
static int save_sharp_webp(VipsImage *image, int quality, iimg_piece_t *piece)
{
    return vips_webpsave_buffer(image, &piece->data, &piece->length, "Q", quality,
                                "smart_subsample", TRUE, "strip", TRUE, NULL);
}

static int save_exact_webp(VipsImage *image, int quality, iimg_piece_t *piece)
{
    (void)quality;
    return vips_webpsave_buffer(image, &piece->data, &piece->length, "lossless", TRUE, "strip",
                                TRUE, NULL);
}

static int save_quick_exact_webp(VipsImage *image, int quality, iimg_piece_t *piece)
{
    (void)quality;
    return vips_webpsave_buffer(image, &piece->data, &piece->length, "lossless", TRUE, "effort", 0,
                                "strip", TRUE, NULL);
}

typedef struct saver_t {
    iimg_format_t format;
    int (*save)(VipsImage *image, int quality, iimg_piece_t *piece);
} saver_t;

static const saver_t jpeg = { IIMG_FORMAT_JPEG, iimg_picture_save_jpeg };
static const saver_t full_jpeg = { IIMG_FORMAT_JPEG, save_full_jpeg };
static const saver_t png = { IIMG_FORMAT_PNG, save_png };
static const saver_t quick_png = { IIMG_FORMAT_PNG, save_quick_png };
static const saver_t webp = { IIMG_FORMAT_WEBP, save_webp };
static const saver_t sharp_webp = { IIMG_FORMAT_WEBP, save_sharp_webp };
static const saver_t exact_webp = { IIMG_FORMAT_WEBP, save_exact_webp };
static const saver_t quick_exact_webp = { IIMG_FORMAT_WEBP, save_quick_exact_webp };

/* The derivatives of a picture have the same format, since their keys share the extension. */
typedef struct savers_t {
    const saver_t *lossy; /* NULL: always exact */
    const saver_t *exact; /* lossless; used if not larger; NULL: not tried */
    const saver_t *quick; /* a cheap test whether the exact one is much larger */
} savers_t;

/* JPEG has no transparency: transparent pictures become PNG, unless WebP is requested. A lossless
 * picture may have hard edges and flat areas, which lossy formats blur. */
static savers_t choose_savers(const iimg_work_t *work, bool is_lossless, bool has_alpha)
{
    if (work->request->format == IIMG_FORMAT_WEBP) {
        return is_lossless ? (savers_t){ &sharp_webp, &exact_webp, &quick_exact_webp }
                           : (savers_t){ &webp, NULL, NULL };
    }
    if (has_alpha) {
        return (savers_t){ NULL, &png, NULL };
    }
    return is_lossless ? (savers_t){ &full_jpeg, &png, &quick_png }
                       : (savers_t){ &jpeg, NULL, NULL };
}

/* Save all sizes, the largest first. @return 0; -1 on errors; 1 when they exceed `most` bytes */
static int save_sizes(const iimg_work_t *work, VipsImage *const *sizes, const saver_t *saver,
                      size_t most, iimg_piece_t *pieces)
{
    for (int size = IIMG_LARGEST_DERIVATIVE; size >= 0; size--) {
        if (saver->save(sizes[size], (int)work->request->quality, &pieces[size]) != 0) {
            return -1;
        }
        if (pieces[size].length > most) {
            return 1;
        }
        most -= pieces[size].length;
    }
    return 0;
}

/* A lossless photo is many times larger, which a quick compression of a few rows shows. */
static int probe_exact_size(const iimg_work_t *work, VipsImage *large, const saver_t *quick,
                            size_t most)
{
    enum {
        ROWS = 8, /* one row in this many is compressed */
        GAIN = 4
    }; /* good compression is at most 4 times as small */
    VipsImage *sample;
    iimg_piece_t piece;

    if (vips_subsample(large, &sample, 1, VIPS_MIN(ROWS, large->Ysize), NULL) != 0
        || quick->save(sample, (int)work->request->quality, &piece) != 0) {
        return -1;
    }
    return piece.length * ROWS / GAIN > most;
}

/* Save lossless sizes, too, if they are not larger. @return as save_sizes() */
static int save_exact_sizes(iimg_work_t *work, VipsImage *const *sizes, const savers_t *savers)
{
    iimg_piece_t pieces[IIMG_WORK_PIECES];
    size_t most = SIZE_MAX;
    int rc = 0;

    if (savers->lossy) {
        most = 0;
        for (int i = 0; i < IIMG_DERIVATIVES; i++) {
            most += work->pieces[i].length;
        }
        rc = probe_exact_size(work, sizes[IIMG_LARGEST_DERIVATIVE], savers->quick, most);
    }
    if (rc == 0) {
        rc = save_sizes(work, sizes, savers->exact, most, pieces);
    }
    if (rc == 0) {
        memcpy(work->pieces, pieces, sizeof(pieces));
        work->answer.format = savers->exact->format;
    }
    return rc;
}

/* Make each size from the next larger one, in memory. */
static int make_sizes(iimg_work_t *work, VipsImage *large, bool is_lossless)
{
    savers_t savers = choose_savers(work, is_lossless, vips_image_hasalpha(large));
    VipsImage *sizes[IIMG_DERIVATIVES], *image = large;

    for (int size = IIMG_LARGEST_DERIVATIVE; size >= 0; size--) {
        image = sizes[size] = iimg_pixels_fit(image, iimg_derivatives[size].side);
        if (!image) {
            return -1;
        }
    }
    if (savers.lossy) {
        work->answer.format = savers.lossy->format;
        if (save_sizes(work, sizes, savers.lossy, SIZE_MAX, work->pieces) != 0) {
            return -1;
        }
    }
    if (savers.exact && save_exact_sizes(work, sizes, &savers) < 0) {
        return -1;
    }
    work->answer.piece_count = IIMG_DERIVATIVES;
    return 0;
}

static int make_derivatives(iimg_work_t *work, const iimg_source_t *source, VipsImage *opened)
{
    VipsImage *large;

    return iimg_pixels_decode(source, opened, iimg_derivatives[IIMG_LARGEST_DERIVATIVE].side,
                              &large)
                   == 0
               ? make_sizes(work, large, source->is_lossless)
               : -1;
}

/* Put the picture on white. vips_flatten treats any last band as alpha. */
static int put_on_white(VipsImage *in, VipsImage **out)
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
        || put_on_white(image, &flat) != 0
        || iimg_picture_save_jpeg(flat, REFERENCE_QUALITY, &work->pieces[0]) != 0) {
        return -1;
    }
    work->answer.format = IIMG_FORMAT_JPEG;
    work->answer.piece_count = 1;
    return 0;
}

/* The header is enough, unless the end of the file is missing: then only decoding shows whether the
 * picture is complete. */
static int inspect_picture(iimg_work_t *work, const iimg_source_t *source, VipsImage *opened)
{
    VipsImage *image;

    (void)work;
    return source->unended ? iimg_pixels_decode(source, opened, iimg_derivatives[0].side, &image)
                           : 0;
}

void iimg_picture_work(iimg_work_t *work)
{
    static int (*const works[])(iimg_work_t *, const iimg_source_t *, VipsImage *) = {
        [IIMG_WORK_DERIVE] = make_derivatives,
        [IIMG_WORK_REFERENCE] = make_reference,
        [IIMG_WORK_INSPECT] = inspect_picture,
    };
    iimg_source_t source = { 0 };
    VipsImage *opened = NULL;

    work->answer.status = IIMG_WORK_DONE;
    if (iimg_source_open(work, &source, &opened)
        && works[work->request->kind](work, &source, opened) != 0) {
        iimg_work_fail(work, IIMG_WORK_UNREADABLE);
    }
}
