/* poster.c - draw a poster in place of a generated picture (the generator "preview"). */
#include "worker/picture.h"

#include <stdbool.h>
#include <string.h>
#include "base/media_type.h"
#include "worker/lettering.h"

#define POSTER_QUALITY 85

/* A poster in progress: the canvas and its pieces. */
typedef struct board_t {
    VipsImage *canvas;
    int margin;
    int width, height;
} board_t;

enum {
    TITLE,
    SUBTITLE,
    BODY,
    MARK
};

/* The content of a poster. */
typedef struct poster_t {
    const char *texts[IIMG_WORK_TEXTS];
    iimg_piece_t pictures[IIMG_WORK_POSTER_PICTURES];
    int count;
} poster_t;

static const double ink[] = { 245, 242, 235 };
static const double soft_ink[] = { 196, 190, 214 };
static const double mark_ink[] = { 24, 18, 40 };
static const double mark_paper[] = { 255, 205, 84 };

/* A vertical gradient from violet to near black. */
static int paint_background(board_t *board)
{
    double scale[] = { -46, -38, -62 }, base[] = { 64, 50, 92 };
    VipsImage *xy, *y, *unit, *color, *bytes, *tagged;

    if (vips_xyz(&xy, board->width, board->height, NULL) != 0
        || vips_extract_band(xy, &y, 1, NULL) != 0
        || vips_linear1(y, &unit, 1.0 / board->height, 0, NULL) != 0
        || vips_linear(unit, &color, scale, base, 3, NULL) != 0
        || vips_cast_uchar(color, &bytes, NULL) != 0
        || vips_copy(bytes, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0) {
        return -1;
    }
    board->canvas = tagged;
    return 0;
}

static int paste_piece(board_t *board, VipsImage *piece, int x, int y)
{
    VipsImage *next;

    if (vips_insert(board->canvas, piece, &next, x, y, NULL) != 0) {
        return -1;
    }
    board->canvas = next;
    return 0;
}

/* Fill a rectangle with a color, through a mask if there is one. */
static int fill_rectangle(board_t *board, VipsImage *mask, const double *color, int x, int y)
{
    VipsImage *area, *black, *paint, *bytes, *tagged, *mixed;

    if (vips_extract_area(board->canvas, &area, x, y, mask->Xsize, mask->Ysize, NULL) != 0
        || vips_black(&black, mask->Xsize, mask->Ysize, "bands", 3, NULL) != 0
        || vips_linear(black, &paint, (double[]){ 1, 1, 1 }, (double *)color, 3, NULL) != 0
        || vips_cast_uchar(paint, &bytes, NULL) != 0
        || vips_copy(bytes, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0
        || vips_ifthenelse(mask, tagged, area, &mixed, "blend", TRUE, NULL) != 0) {
        return -1;
    }
    return paste_piece(board, mixed, x, y);
}

/* Draw words. A failure is ignored: a poster without words is better than none. */
static int write_words(board_t *board, const char *words, bool bold, const double *color, int x,
                       int y, int width, int height)
{
    iimg_lettering_t lettering = { words, bold, width, height };
    unsigned char *letters;
    VipsImage *mask;

    if (!words || !*words || width < 1 || height < 1) {
        return 0;
    }
    letters = iimg_lettering_draw(&lettering);
    if (!letters) {
        return 0;
    }
    mask = vips_image_new_from_memory(letters, (size_t)width * (size_t)height, width, height, 1,
                                      VIPS_FORMAT_UCHAR);
    return mask ? fill_rectangle(board, mask, color, x, y) : -1;
}

/* Draw a band of paper with words at the bottom edge. */
static int write_mark(board_t *board, const char *words)
{
    int height = VIPS_MAX(16, VIPS_MIN(board->height, board->width) / 16);
    int top = board->height - height, pad = VIPS_MAX(2, height / 4);
    VipsImage *black, *mask;

    if (vips_black(&black, board->width, height, NULL) != 0 || vips_invert(black, &mask, NULL) != 0
        || fill_rectangle(board, mask, mark_paper, 0, top) != 0) {
        return -1;
    }
    return write_words(board, words, true, mark_ink, board->margin, top + pad,
                       board->width - 2 * board->margin, height - 2 * pad);
}

/* Draw a picture that fills its tile, cropped around its center. */
static int place_picture(board_t *board, const iimg_piece_t *picture, int x, int y, int width,
                         int height)
{
    VipsImage *loaded, *tile, *pixels;

    if (vips_jpegload_buffer((void *)picture->data, picture->length, &loaded, NULL) != 0
        || vips_thumbnail_image(loaded, &tile, width, "height", height, "crop",
                                VIPS_INTERESTING_CENTRE, NULL)
               != 0
        || vips_colourspace(tile, &pixels, VIPS_INTERPRETATION_sRGB, NULL) != 0) {
        return -1;
    }
    pixels = vips_image_copy_memory(pixels);
    return pixels ? paste_piece(board, pixels, x, y) : -1;
}

/* Draw the first picture large, the others in a column beside it. */
static int place_pictures(board_t *board, const poster_t *poster, int x, int y, int width,
                          int height)
{
    int gap = VIPS_MAX(2, board->margin / 3), others = poster->count - 1;
    int column = others > 0 ? width / 4 : 0;
    int main_width = width - column - (others > 0 ? gap : 0);
    int tile = others > 0 ? (height - (others - 1) * gap) / others : 0;

    if (place_picture(board, &poster->pictures[0], x, y, main_width, height) != 0) {
        return -1;
    }
    for (int i = 0; i < others; i++) {
        if (place_picture(board, &poster->pictures[i + 1], x + main_width + gap,
                          y + i * (tile + gap), column, VIPS_MAX(1, tile))
            != 0) {
            return -1;
        }
    }
    return 0;
}

static int write_texts(board_t *board, const poster_t *poster, int x, int y, int width, int height)
{
    int title = height * 34 / 100, subtitle = height * 10 / 100, body = height * 44 / 100;
    int gap = height * 6 / 100;

    if (write_words(board, poster->texts[TITLE], true, ink, x, y, width, title) != 0
        || write_words(board, poster->texts[SUBTITLE], false, soft_ink, x, y + title + gap, width,
                       subtitle)
               != 0) {
        return -1;
    }
    return write_words(board, poster->texts[BODY], false, ink, x, y + title + subtitle + 2 * gap,
                       width, body);
}

/* Wide posters: pictures left, words right. Tall posters: pictures above, words below. */
static int lay_out(board_t *board, const poster_t *poster)
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

/* Read the next piece after the head of the description. @return NULL when it is incomplete */
static unsigned char *read_piece(const unsigned char **at, size_t *left, size_t length)
{
    unsigned char *piece;

    if (length > *left) {
        return NULL;
    }
    piece = (unsigned char *)*at;
    *at += length;
    *left -= length;
    return piece;
}

static bool read_poster(const iimg_work_t *work, iimg_work_poster_t *head, poster_t *poster)
{
    const unsigned char *at = work->data;
    size_t left = work->length;
    unsigned char *piece = read_piece(&at, &left, sizeof(*head));

    if (!piece) {
        return false;
    }
    memcpy(head, piece, sizeof(*head));
    for (int i = 0; i < IIMG_WORK_TEXTS; i++) {
        piece = read_piece(&at, &left, head->text_lengths[i]);
        if (!piece) {
            return false;
        }
        poster->texts[i] = g_strndup((char *)piece, head->text_lengths[i]);
    }
    poster->count = (int)head->picture_count;
    for (int i = 0; i < poster->count && i < IIMG_WORK_POSTER_PICTURES; i++) {
        poster->pictures[i].length = head->picture_lengths[i];
        poster->pictures[i].data = read_piece(&at, &left, head->picture_lengths[i]);
        if (!poster->pictures[i].data) {
            return false;
        }
    }
    return poster->count >= 1 && poster->count <= IIMG_WORK_POSTER_PICTURES;
}

void iimg_poster_work(iimg_work_t *work)
{
    iimg_work_poster_t head;
    poster_t poster;
    board_t board;

    work->answer.status = IIMG_WORK_FAILED;
    if (!read_poster(work, &head, &poster)) {
        return;
    }
    board = (board_t){ .width = (int)head.width,
                       .height = (int)head.height,
                       .margin = (int)VIPS_MAX(4, VIPS_MIN(head.width, head.height) / 20) };
    if (paint_background(&board) != 0 || lay_out(&board, &poster) != 0
        || write_mark(&board, poster.texts[MARK]) != 0
        || iimg_picture_save_jpeg(board.canvas, POSTER_QUALITY, &work->pieces[0]) != 0) {
        iimg_work_fail(work, IIMG_WORK_FAILED);
        return;
    }
    work->answer.status = IIMG_WORK_DONE;
    work->answer.format = IIMG_FORMAT_JPEG;
    work->answer.piece_count = 1;
}
