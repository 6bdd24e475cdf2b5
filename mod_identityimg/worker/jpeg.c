/* jpeg.c - decode baseline JPEGs and encode JPEGs with libjpeg, in memory.
 *
 * libvips' loader reads 4 kB at a time and passes rows through caches and threads, which takes ten
 * times as long. It decodes the rarer kinds: several scans, CMYK. This file and resample.c can go
 * once Debian 12 is no longer supported and libvips 8.16, with vector code compiled ahead of time,
 * is the minimum; `make bench` compares with a pipeline of libvips alone, so that this stays
 * checked.
 */
#include "worker/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
#include <jerror.h>
#include <vips/vips.h>

#define ROWS        8  /* requested at a time; libjpeg may return fewer */
#define FULL_COLORS 90 /* quality from which colors keep their resolution, as in libvips */

typedef struct catcher_t {
    struct jpeg_error_mgr manager; /* must be first: libjpeg has a pointer to it */
    jmp_buf leave;
} catcher_t;

static void jump_out(j_common_ptr jpeg)
{
    catcher_t *catcher = (catcher_t *)jpeg->err;
    char message[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, message);
    vips_error("jpeg", "%s", message);
    longjmp(catcher->leave, 1);
}

static void discard_message(j_common_ptr jpeg)
{
    (void)jpeg;
}

static struct jpeg_error_mgr *catch (catcher_t *catcher)
{
    jpeg_std_error(&catcher->manager);
    catcher->manager.error_exit = jump_out;
    catcher->manager.output_message = discard_message;
    return &catcher->manager;
}

/* libjpeg would fill the rest with gray. */
static boolean end_too_early(j_decompress_ptr jpeg)
{
    ERREXIT(jpeg, JERR_INPUT_EOF);
    return FALSE;
}

/* Allocate all rows. @return false when out of memory */
static bool allocate_rows(const struct jpeg_decompress_struct *jpeg, iimg_pixels_t *pixels)
{
    pixels->width = (int)jpeg->output_width;
    pixels->height = (int)jpeg->output_height;
    pixels->bands = jpeg->output_components;
    pixels->data = malloc((size_t)pixels->width * (size_t)pixels->height * (size_t)pixels->bands);
    return pixels->data != NULL;
}

static void read_rows(struct jpeg_decompress_struct *jpeg, const iimg_pixels_t *pixels)
{
    size_t stride = (size_t)pixels->width * (size_t)pixels->bands;
    JSAMPROW rows[ROWS];

    while (jpeg->output_scanline < jpeg->output_height) {
        JDIMENSION left = jpeg->output_height - jpeg->output_scanline;

        left = left < ROWS ? left : ROWS;
        for (JDIMENSION i = 0; i < left; i++) {
            rows[i] = pixels->data + (jpeg->output_scanline + i) * stride;
        }
        jpeg_read_scanlines(jpeg, rows, left);
    }
}

/* The end marker was appended: reaching it means that pixels are missing. */
static void refuse_early_end(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_HIT_MARKER) {
        jump_out(jpeg);
    }
}

bool iimg_jpeg_decode(const unsigned char *data, size_t length, int shrink, bool unended,
                      iimg_pixels_t *pixels)
{
    struct jpeg_decompress_struct jpeg;
    catcher_t catcher;

    jpeg.err = catch (&catcher);
    if (unended) {
        jpeg.err->emit_message = refuse_early_end;
    }
    pixels->data = NULL;
    if (setjmp(catcher.leave) != 0) {
        jpeg_destroy_decompress(&jpeg);
        free(pixels->data);
        return false;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, data, length);
    jpeg.src->fill_input_buffer = end_too_early;
    jpeg_read_header(&jpeg, TRUE);
    jpeg.scale_num = 1;
    jpeg.scale_denom = (unsigned)shrink;
    jpeg.out_color_space = jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&jpeg);
    if (!allocate_rows(&jpeg, pixels)) {
        ERREXIT1(&jpeg, JERR_OUT_OF_MEMORY, 0);
    }
    read_rows(&jpeg, pixels);
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return true;
}

/* Colors have half of the resolution below the quality FULL_COLORS. */
static void set_quality(struct jpeg_compress_struct *jpeg, int quality, bool full_colors)
{
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->optimize_coding = TRUE;
    jpeg->write_JFIF_header = FALSE;
    if (full_colors || quality >= FULL_COLORS) {
        jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
    }
}

static void write_rows(struct jpeg_compress_struct *jpeg, const iimg_pixels_t *pixels)
{
    size_t stride = (size_t)pixels->width * (size_t)pixels->bands;

    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = pixels->data + jpeg->next_scanline * stride;

        jpeg_write_scanlines(jpeg, &row, 1);
    }
}

bool iimg_jpeg_encode(const iimg_pixels_t *pixels, int quality, bool full_colors, void **jpeg_,
                      size_t *length)
{
    struct jpeg_compress_struct jpeg;
    catcher_t catcher;
    unsigned char *to = NULL;
    unsigned long size = 0;

    jpeg.err = catch (&catcher);
    if (setjmp(catcher.leave) != 0) {
        jpeg_destroy_compress(&jpeg);
        return false;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &to, &size);
    jpeg.image_width = (JDIMENSION)pixels->width;
    jpeg.image_height = (JDIMENSION)pixels->height;
    jpeg.input_components = pixels->bands;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    set_quality(&jpeg, quality, full_colors);
    jpeg_start_compress(&jpeg, TRUE);
    write_rows(&jpeg, pixels);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    *jpeg_ = to;
    *length = size;
    return true;
}
