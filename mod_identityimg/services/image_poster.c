/* image_poster.c - the poster that stands for a generated picture when no provider is at hand. */
#include "services/image_internal.h"

#include <apr_strings.h>
#include "base/log.h"

#define POSTER_QUALITY 85

/* A poster under construction: the canvas so far and where its pieces go. */
typedef struct board_t {
    apr_pool_t *pool;
    VipsImage *canvas;
    int margin;
    int width, height;
} board_t;

static const double ink[] = { 245, 242, 235 };
static const double soft_ink[] = { 196, 190, 214 };
static const double mark_ink[] = { 24, 18, 40 };
static const double mark_paper[] = { 255, 205, 84 };

static int own_next(board_t *board, int rc, VipsImage **next)
{
    if (rc == 0) {
        iimg_vips_own(board->pool, *next);
    }
    return rc;
}

/* A slow fall from violet to near black: y runs from 0 to 1. */
static int paint_background(board_t *board)
{
    double scale[] = { -46, -38, -62 }, base[] = { 64, 50, 92 };
    VipsImage *xy, *y, *unit, *colour, *bytes, *tagged;

    if (own_next(board, vips_xyz(&xy, board->width, board->height, NULL), &xy) != 0
        || own_next(board, vips_extract_band(xy, &y, 1, NULL), &y) != 0
        || own_next(board, vips_linear1(y, &unit, 1.0 / board->height, 0, NULL), &unit) != 0
        || own_next(board, vips_linear(unit, &colour, scale, base, 3, NULL), &colour) != 0
        || own_next(board, vips_cast_uchar(colour, &bytes, NULL), &bytes) != 0
        || own_next(board, vips_copy(bytes, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB,
                                     NULL), &tagged) != 0) {
        return -1;
    }
    board->canvas = tagged;
    return 0;
}

static int paste(board_t *board, VipsImage *piece, int x, int y)
{
    VipsImage *next;

    if (own_next(board, vips_insert(board->canvas, piece, &next, x, y, NULL), &next) != 0) {
        return -1;
    }
    board->canvas = next;
    return 0;
}

/* Fills a rectangle with a colour, through a mask when there is one. */
static int tint(board_t *board, VipsImage *mask, const double *colour, int x, int y)
{
    VipsImage *area, *black, *paint, *bytes, *tagged, *mixed;

    if (own_next(board, vips_extract_area(board->canvas, &area, x, y, mask->Xsize, mask->Ysize,
                                          NULL), &area) != 0
        || own_next(board, vips_black(&black, mask->Xsize, mask->Ysize, "bands", 3, NULL),
                    &black) != 0
        || own_next(board, vips_linear(black, &paint, (double[]){ 1, 1, 1 }, (double *)colour, 3,
                                       NULL), &paint) != 0
        || own_next(board, vips_cast_uchar(paint, &bytes, NULL), &bytes) != 0
        || own_next(board, vips_copy(bytes, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB,
                                     NULL), &tagged) != 0
        || own_next(board, vips_ifthenelse(mask, tagged, area, &mixed, "blend", TRUE, NULL),
                    &mixed) != 0) {
        return -1;
    }
    return paste(board, mixed, x, y);
}

/* Words in a font of `size` points. The resolution is always the same: to change it makes Pango clear
 * its caches under its own fontconfig threads, and then a child dies of SIGFPE in GLib. (That is why
 * libvips' own fitting, which changes it again and again, is not used.) */
static int draw_words(const board_t *board, const char *markup, const char *family, int size,
                      int width, VipsImage **mask)
{
    return vips_text(mask, markup, "font", apr_psprintf(board->pool, "%s %d", family, size),
                     "width", width, "dpi", 72, NULL);
}

static bool fits(const VipsImage *mask, int width, int height)
{
    return mask->Xsize <= width && mask->Ysize <= height;
}

/* The mask of some words in the largest size that fits into width x height pixels. */
static int letter(board_t *board, const char *words, const char *family, int width, int height,
                  VipsImage **mask)
{
    gchar *escaped = g_markup_escape_text(words, -1);
    const char *markup = apr_pstrdup(board->pool, escaped);
    int least = 1, most = VIPS_MAX(2, height);
    VipsImage *text;

    g_free(escaped);
    *mask = NULL;
    while (most - least > VIPS_MAX(1, least / 32) || !*mask) {
        int size = most - least > 1 ? (least + most) / 2 : least;

        if (own_next(board, draw_words(board, markup, family, size, width, &text), &text) != 0) {
            return -1;
        }
        if (fits(text, width, height) || size == least) {
            *mask = text;
            least = size;
        }
        else {
            most = size;
        }
    }
    if (fits(*mask, width, height)) {
        return 0;
    }
    text = *mask;       /* too many words for any size: what stands out is cut */
    return own_next(board, vips_crop(text, mask, 0, 0, VIPS_MIN(width, text->Xsize),
                                     VIPS_MIN(height, text->Ysize), NULL), mask);
}

static int write_words(board_t *board, const char *words, const char *font, const double *colour,
                       int x, int y, int width, int height)
{
    VipsImage *mask;

    if (!words || !*words) {
        return 0;
    }
    if (letter(board, words, font, width, height, &mask) != 0) {
        return -1;
    }
    return tint(board, mask, colour, x, y);
}

/* A band of paper with words on it, at the bottom edge. */
static int write_mark(board_t *board, const char *words)
{
    int height = VIPS_MAX(16, VIPS_MIN(board->height, board->width) / 16);
    int top = board->height - height, pad = VIPS_MAX(2, height / 4);
    VipsImage *black, *mask;

    if (own_next(board, vips_black(&black, board->width, height, NULL), &black) != 0
        || own_next(board, vips_invert(black, &mask, NULL), &mask) != 0
        || tint(board, mask, mark_paper, 0, top) != 0) {
        return -1;
    }
    return write_words(board, words, "sans bold", mark_ink, board->margin, top + pad,
                       board->width - 2 * board->margin, height - 2 * pad);
}

/* One picture, filling its tile: the middle is kept, what stands out is cut. */
static int place_picture(board_t *board, const iimg_derivative_t *picture, int x, int y, int width,
                         int height)
{
    VipsImage *loaded, *tile, *pixels;

    if (own_next(board, vips_jpegload_buffer((void *)picture->data, picture->length, &loaded,
                                             NULL), &loaded) != 0
        || own_next(board, vips_thumbnail_image(loaded, &tile, width, "height", height, "crop",
                                                VIPS_INTERESTING_CENTRE, NULL), &tile) != 0
        || own_next(board, vips_colourspace(tile, &pixels, VIPS_INTERPRETATION_sRGB, NULL),
                    &pixels) != 0) {
        return -1;
    }
    pixels = iimg_vips_own(board->pool, vips_image_copy_memory(pixels));
    return pixels ? paste(board, pixels, x, y) : -1;
}

/* The first picture large, the others in a column beside it. */
static int place_pictures(board_t *board, const iimg_poster_t *poster, int x, int y, int width,
                          int height)
{
    int gap = VIPS_MAX(2, board->margin / 3), others = poster->picture_count - 1;
    int column = others > 0 ? width / 4 : 0;
    int main_width = width - column - (others > 0 ? gap : 0);
    int tile = others > 0 ? (height - (others - 1) * gap) / others : 0;

    if (place_picture(board, &poster->pictures[0], x, y, main_width, height) != 0) {
        return -1;
    }
    for (int i = 0; i < others; i++) {
        if (place_picture(board, &poster->pictures[i + 1], x + main_width + gap,
                          y + i * (tile + gap), column, VIPS_MAX(1, tile)) != 0) {
            return -1;
        }
    }
    return 0;
}

static int write_texts(board_t *board, const iimg_poster_t *poster, int x, int y, int width,
                       int height)
{
    int title = height * 34 / 100, subtitle = height * 10 / 100, body = height * 44 / 100;
    int gap = height * 6 / 100;

    if (write_words(board, poster->title, "sans bold", ink, x, y, width, title) != 0
        || write_words(board, poster->subtitle, "sans", soft_ink, x, y + title + gap, width,
                       subtitle) != 0) {
        return -1;
    }
    return write_words(board, poster->body, "sans", ink, x, y + title + subtitle + 2 * gap, width,
                       body);
}

/* Wide posters: pictures left, words right. Tall ones: pictures above, words below. */
static int lay_out(board_t *board, const iimg_poster_t *poster)
{
    int mark = VIPS_MAX(16, VIPS_MIN(board->height, board->width) / 16);
    int m = board->margin, width = board->width - 2 * m, height = board->height - 2 * m - mark;
    bool wide = board->width > board->height;
    int first_width = wide ? (width - m) / 2 : width;
    int first_height = wide ? height : (height - m) * 3 / 5;

    if (place_pictures(board, poster, m, m, first_width, first_height) != 0) {
        return -1;
    }
    if (wide) {
        return write_texts(board, poster, 2 * m + first_width, m, width - m - first_width, height);
    }
    return write_texts(board, poster, m, 2 * m + first_height, width, height - m - first_height);
}

iimg_error_t *iimg_image_poster(iimg_context_t *context, const iimg_poster_t *poster,
                                iimg_derivative_t *poster_jpeg)
{
    apr_time_t began = iimg_step_begin(context);
    board_t board = { .width = poster->width, .height = poster->height,
                      .margin = VIPS_MAX(4, VIPS_MIN(poster->width, poster->height) / 20) };
    iimg_error_t *err = NULL;

    apr_pool_create(&board.pool, context->pool);
    if (paint_background(&board) != 0 || lay_out(&board, poster) != 0
        || write_mark(&board, poster->mark) != 0
        || iimg_vips_save_jpeg(context->pool, board.canvas, POSTER_QUALITY, poster_jpeg) != 0) {
        err = iimg_error_detail(iimg_error(context->pool, IIMG_INTERNAL, "Internal server error"),
                                "poster: %s", iimg_vips_said(context->pool));
    }
    apr_pool_destroy(board.pool);
    iimg_step_end(context, began, "poster", NULL);
    return err;
}
