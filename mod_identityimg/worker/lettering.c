/* lettering.c - find the largest size at which words fit, as measured by Pango, and draw them.
 *
 * Runs in the process of a poster. Nothing is freed: the process exits with its poster.
 */
#include "worker/lettering.h"

#include <stdlib.h>
#include <string.h>
#include <glib.h>
#include <pango/pangoft2.h>
#include "services/pictures/protocol.h"
#include "worker/fonts.h"

#define ELLIPSIS        "\xe2\x80\xa6"
#define MOST_CHARACTERS 10000 /* of a text: each step of the search lays out all of it */
#define MOST_MARKS      8     /* on a letter */

/* @return the smallest readable size for a box: words are cut rather than drawn smaller */
static int least_size(const iimg_lettering_t *lettering)
{
    int size = (int)(MIN(lettering->width, lettering->height) / 40);

    return MIN(CLAMP(size, 10, 24), MAX(1, lettering->height * 3 / 5));
}

/* Control characters other than line ends would be drawn as boxes. Many marks on a letter take
 * quadratic time. */
static bool is_left_out(const char *character, int *marks)
{
    gunichar c = g_utf8_get_char(character);

    *marks = g_unichar_ismark(c) ? *marks + 1 : 0;
    return *marks > MOST_MARKS || (c != '\n' && c != '\t' && g_unichar_iscntrl(c));
}

/* Drop characters beyond those that fit into the box at the smallest size. */
static char *clean_words(const iimg_lettering_t *lettering, glong *characters)
{
    double least = least_size(lettering);
    double room = 4.0 * lettering->width * lettering->height / (least * least) + 64;
    char *words = g_utf8_make_valid(lettering->words, -1), *to = words;
    int marks = 0;

    *characters = 0;
    for (const char *from = words, *next; *from && *characters < MIN(room, MOST_CHARACTERS);
         from = next) {
        next = g_utf8_next_char(from);
        if (!is_left_out(from, &marks)) {
            memmove(to, from, (size_t)(next - from));
            to += next - from;
            ++*characters;
        }
    }
    *to = '\0';
    g_strdelimit(words, "\t", ' ');
    return words;
}

static PangoLayout *begin_layout(const iimg_lettering_t *lettering, const char *words)
{
    PangoContext *context = pango_font_map_create_context(pango_ft2_font_map_new());
    PangoLayout *layout = pango_layout_new(context);
    PangoAttrList *attributes = pango_attr_list_new();

    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(layout, attributes);
    pango_layout_set_width(layout, lettering->width * PANGO_SCALE);
    pango_layout_set_text(layout, words, -1);
    return layout;
}

static bool fits(PangoLayout *layout, const iimg_lettering_t *lettering, PangoWrapMode wrap,
                 int size)
{
    PangoFontDescription *font = pango_font_description_from_string(lettering->bold ? "sans bold"
                                                                                    : "sans");
    int width, height;

    pango_font_description_set_absolute_size(font, (double)size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_wrap(layout, wrap);
    pango_layout_get_pixel_size(layout, &width, &height);
    return width <= lettering->width && height <= lettering->height;
}

/* Find the largest size, from one that fits. The number of characters limits the size. */
static void find_largest_size(PangoLayout *layout, const iimg_lettering_t *lettering,
                              PangoWrapMode wrap, int least, glong characters)
{
    double area = 16.0 * lettering->width * lettering->height / (double)MAX(1, characters);
    int most = lettering->height + 1;

    while ((double)(most - 1) * (most - 1) > area && most > least + 1) {
        most = MAX(least + 1, most * 3 / 4);
    }
    while (most - least > MAX(1, least / 32)) {
        int size = least + (most - least) / 2;

        if (fits(layout, lettering, wrap, size)) {
            least = size;
        }
        else {
            most = size;
        }
    }
    fits(layout, lettering, wrap, least);
}

/* Find the last line that fits into the box, at least the first one.
 * @return where the line begins */
static int find_last_line(PangoLayout *layout, int height, int *length)
{
    PangoLayoutIter *lines = pango_layout_get_iter(layout);
    int start = 0;

    *length = 0;
    do {
        PangoLayoutLine *line = pango_layout_iter_get_line_readonly(lines);
        int bottom;

        pango_layout_iter_get_line_yrange(lines, NULL, &bottom);
        if (PANGO_PIXELS_CEIL(bottom) > height && *length > 0) {
            break;
        }
        start = line->start_index;
        *length = line->length > 0 ? line->length : 1;
    } while (pango_layout_iter_next_line(lines));
    pango_layout_iter_free(lines);
    return start;
}

/* Cut the text after the last line that fits, and end it with an ellipsis. The rest
 * is clipped. */
static void cut_text(PangoLayout *layout, const iimg_lettering_t *lettering)
{
    const char *words = pango_layout_get_text(layout);
    int length, start = find_last_line(layout, lettering->height, &length);
    const char *end = words + MIN((size_t)start + (size_t)length, strlen(words));
    GString *text;

    for (int i = 0; i < 3 && end > words + start; i++) {
        end = g_utf8_find_prev_char(words, end);
    }
    text = g_string_new_len(words, end - words);
    g_strchomp(text->str);
    text->len = strlen(text->str);
    g_string_append(text, ELLIPSIS);
    pango_layout_set_text(layout, text->str, -1);
}

static void choose_size(PangoLayout *layout, const iimg_lettering_t *lettering, glong characters)
{
    static const PangoWrapMode wraps[] = { PANGO_WRAP_WORD, PANGO_WRAP_WORD_CHAR };
    int least = least_size(lettering);

    for (size_t i = 0; i < G_N_ELEMENTS(wraps); i++) {
        if (fits(layout, lettering, wraps[i], least)) {
            find_largest_size(layout, lettering, wraps[i], least, characters);
            return;
        }
    }
    cut_text(layout, lettering);
}

unsigned char *iimg_lettering_draw(const iimg_lettering_t *lettering)
{
    unsigned char *mask = calloc((size_t)lettering->width, (size_t)lettering->height);
    FT_Bitmap bitmap = { .rows = (unsigned)lettering->height,
                         .width = (unsigned)lettering->width,
                         .pitch = lettering->width,
                         .buffer = mask,
                         .num_grays = 256,
                         .pixel_mode = FT_PIXEL_MODE_GRAY };
    PangoLayout *layout;
    glong characters;
    char *words;

    if (!mask || iimg_fonts_last() == IIMG_WORK_SOCKET) {
        return NULL;
    }
    words = clean_words(lettering, &characters);
    layout = begin_layout(lettering, words);
    choose_size(layout, lettering, characters);
    pango_ft2_render_layout(&bitmap, layout, 0, 0);
    return mask;
}
