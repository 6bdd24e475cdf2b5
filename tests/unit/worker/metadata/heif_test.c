/*
 * heif_test.c - worker/metadata/heif*.c: generated boxes, items and tracks in all
 * versions and widths: what is blanked, cut off and refused.
 */
#include "worker/metadata/metadata.h"

#include <stdlib.h>
#include "../../../programs/metadata_check.h"
#include "tap.h"

/* A file in progress, with open boxes. */
typedef struct heif_t {
    unsigned char bytes[4096];
    size_t length;
    size_t open[8];
    int depth;
} heif_t;

static void put(heif_t *heif, const void *bytes, size_t length)
{
    if (length > sizeof(heif->bytes) - heif->length) {
        abort();
    }
    memcpy(heif->bytes + heif->length, bytes, length);
    heif->length += length;
}

static void put_text(heif_t *heif, const char *text)
{
    put(heif, text, strlen(text));
}

static void put_number(heif_t *heif, uint64_t number, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        unsigned char byte = (unsigned char)(number >> 8 * i);

        put(heif, &byte, 1);
    }
}

static void set_number(heif_t *heif, size_t at, uint64_t number, int width)
{
    for (int i = 0; i < width; i++) {
        heif->bytes[at + (size_t)i] = (unsigned char)(number >> 8 * (width - 1 - i));
    }
}

static void begin(heif_t *heif, const char *type)
{
    heif->open[heif->depth++] = heif->length;
    put_number(heif, 0, 4);
    put_text(heif, type);
}

static void begin_full(heif_t *heif, const char *type, int version)
{
    begin(heif, type);
    put_number(heif, (uint64_t)version << 24, 4);
}

static void end(heif_t *heif)
{
    size_t at = heif->open[--heif->depth];

    set_number(heif, at, heif->length - at, 4);
}

static void put_box(heif_t *heif, const char *type, const char *text)
{
    begin(heif, type);
    put_text(heif, text);
    end(heif);
}

/* The variations of a file. */
typedef struct make_t {
    int iloc, infe;                  /* versions */
    int offset, length, base, index; /* widths in iloc */
    int construction;                /* of the metadata's items */
    bool split;                      /* the XMP has two extents */
    bool long_box;                   /* mdat has a length of 64 bits */
    bool endless;                    /* mdat has length 0 */
    bool movie;
    const char *handler; /* of the movie's track */
    const char *tail;    /* after all boxes */
} make_t;

static const char pixels[] = "[pixels of the picture]", exif[] = "....MM exif with a secret in it",
                  xmp[] = "<xmp: a secret>", stray[] = "stray secret";

#define IDS 4 /* 1 is the picture, 2 EXIF, 3 XMP, 4 of an unknown type */

static void put_info(heif_t *heif, const make_t *make, int id, const char *type)
{
    begin_full(heif, "infe", make->infe);
    put_number(heif, (uint64_t)id, make->infe >= 3 ? 4 : 2);
    put_number(heif, 0, 2);
    put_text(heif, type);
    put_number(heif, 0, 1);
    end(heif);
}

static void put_infos(heif_t *heif, const make_t *make)
{
    begin_full(heif, "iinf", make->infe >= 3 ? 1 : 0);
    put_number(heif, IDS, make->infe >= 3 ? 4 : 2);
    put_info(heif, make, 3, "mime"); /* in another order than their locations */
    put_info(heif, make, 1, "hvc1");
    put_info(heif, make, 4, "what");
    put_info(heif, make, 2, "Exif");
    end(heif);
}

/* Each place is set when it is known: @return where the offset stands. */
static size_t put_extent(heif_t *heif, const make_t *make, size_t length)
{
    size_t at;

    put_number(heif, 7, make->index);
    at = heif->length;
    put_number(heif, 0, make->offset);
    put_number(heif, length, make->length);
    return at;
}

static void put_place(heif_t *heif, const make_t *make, int id, size_t length, size_t places[2])
{
    bool split = id == 3 && make->split;
    int construction = id == 1 ? 0 : make->construction;

    put_number(heif, (uint64_t)id, make->iloc < 2 ? 2 : 4);
    if (make->iloc > 0) {
        put_number(heif, (uint64_t)construction, 2);
    }
    put_number(heif, 0, 2);
    put_number(heif, 0, make->base);
    put_number(heif, split ? 2 : 1, 2);
    places[0] = put_extent(heif, make, split ? 5 : length);
    places[1] = split ? put_extent(heif, make, length - 5) : 0;
}

static const struct {
    const char *text;
    size_t length;
} contents[IDS] = { { pixels, sizeof(pixels) - 1 },
                    { exif, sizeof(exif) - 1 },
                    { xmp, sizeof(xmp) - 1 },
                    { stray, sizeof(stray) - 1 } };

static void put_places(heif_t *heif, const make_t *make, size_t places[IDS][2])
{
    begin_full(heif, "iloc", make->iloc);
    put_number(heif,
               (uint64_t)(make->offset << 12 | make->length << 8 | make->base << 4 | make->index),
               2);
    put_number(heif, IDS, make->iloc < 2 ? 2 : 4);
    for (int i = 0; i < IDS; i++) {
        put_place(heif, make, i + 1, contents[i].length, places[i]);
    }
    end(heif);
}

static void put_properties(heif_t *heif)
{
    begin(heif, "iprp");
    begin(heif, "ipco");
    put_box(heif, "udes", "0000 secret names and tags");
    begin_full(heif, "ispe", 0);
    put_number(heif, 64, 4);
    put_number(heif, 64, 4);
    end(heif);
    put_box(heif, "colr", "profprofile");
    put_box(heif, "irot", "\1");
    put_box(heif, "crtt", "2020when");
    begin_full(heif, "ispe", 0);
    put_number(heif, 20, 4);
    put_number(heif, 10, 4);
    end(heif);
    end(heif);
    begin_full(heif, "ipma", 0);
    put_number(heif, 2, 4);
    put(heif, "\0\2\1\x82\0\1\2\1\x86", 9); /* item 2: property 2; item 1: 1 and 6 */
    end(heif);
    end(heif);
}

static void put_movie(heif_t *heif, const make_t *make)
{
    begin(heif, "moov");
    begin_full(heif, "mvhd", 0);
    put_text(heif, "2020made"
                   "rest");
    end(heif);
    begin(heif, "trak");
    begin(heif, "mdia");
    begin_full(heif, "hdlr", 0);
    put_number(heif, 0, 4);
    put_text(heif, make->handler ? make->handler : "pict");
    end(heif);
    end(heif);
    put_box(heif, "udta", "secret of a track");
    end(heif);
    end(heif);
}

/* Put the items' bytes somewhere, and set their places, relative to from. */
static void put_contents(heif_t *heif, const make_t *make, size_t places[IDS][2], int first,
                         size_t from)
{
    for (int i = first; i < IDS; i++) {
        size_t at = heif->length;

        put_text(heif, "#"); /* belongs to no item */
        at++;
        put(heif, contents[i].text, contents[i].length);
        set_number(heif, places[i][0], at - from, make->offset);
        if (places[i][1]) {
            set_number(heif, places[i][1], at + 5 - from, make->offset);
        }
    }
}

static void put_media(heif_t *heif, const make_t *make, size_t places[IDS][2])
{
    size_t at = heif->length;

    begin(heif, "mdat");
    if (make->long_box) {
        put_number(heif, 0, 8);
    }
    put_text(heif, "#");
    set_number(heif, places[0][0], heif->length, make->offset);
    put(heif, pixels, sizeof(pixels) - 1);
    if (make->construction != 1) {
        put_contents(heif, make, places, 1, 0);
    }
    end(heif);
    if (make->long_box) {
        set_number(heif, at, 1, 4);
        set_number(heif, at + 8, heif->length - at, 8);
    }
    if (make->endless) {
        set_number(heif, at, 0, 4);
    }
}

static void make_heif(heif_t *heif, const make_t *make)
{
    size_t places[IDS][2];

    heif->length = 0;
    heif->depth = 0;
    put_box(heif, "ftyp", "heic0000mif1");
    put_box(heif, "free", "secret left over");
    begin_full(heif, "meta", 0);
    begin_full(heif, "pitm", 0);
    put_number(heif, 1, 2);
    end(heif);
    put_infos(heif, make);
    put_places(heif, make, places);
    put_properties(heif);
    put_box(heif, "uuid", "secret of a program");
    if (make->construction == 1) {
        begin(heif, "idat");
        put_contents(heif, make, places, 1, heif->length);
        end(heif);
    }
    end(heif);
    put_box(heif, "uuid", "secret of another program");
    if (make->movie) {
        put_movie(heif, make);
    }
    put_media(heif, make, places);
    put_text(heif, make->tail ? make->tail : "");
}

static bool holds(const unsigned char *bytes, size_t length, const char *text)
{
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void test_kept(const char *name, const make_t *make)
{
    static const char empty_exif[18] = { 0, 0, 0, 0, 'M', 'M', 0, '*', 0, 0, 0, 8 };
    size_t tail = make->tail && !make->endless ? strlen(make->tail) : 0;
    filtered_t filtered;
    heif_t heif;

    make_heif(&heif, make);
    tap_is(filter_picture(heif.bytes, heif.length, &filtered), NULL,
           "%s: the filter returns a result", name);
    tap_is(filtered.wrong, NULL, "%s: it is well-formed", name);
    if (!filtered.wrong) {
        tap_is_number(filtered.length, heif.length - tail,
                      "%s: offsets do not change, the tail is removed", name);
        tap_ok(holds(filtered.bytes, filtered.length, pixels), "%s: the picture is kept", name);
        tap_ok(!holds(filtered.bytes, filtered.length, "secret")
                   && !holds(filtered.bytes, filtered.length, "2020"),
               "%s: all secrets are removed", name);
        tap_ok(make->movie || !holds(filtered.bytes, filtered.length, "#"),
               "%s: bytes of no item are removed", name);
        tap_ok(memmem(filtered.bytes, filtered.length, empty_exif, sizeof(empty_exif)),
               "%s: EXIF is an empty block", name);
        tap_ok(holds(filtered.bytes, filtered.length, "               "), "%s: XMP is blanks",
               name);
        tap_ok(filtered.facts.width == 20 && filtered.facts.height == 10,
               "%s: the size is that of the primary item", name);
        tap_is_number(filtered.facts.icc_length, 7, "%s: the profile is counted", name);
        tap_ok(holds(filtered.bytes, filtered.length, "profprofile"), "%s: the profile is kept",
               name);
        tap_ok(holds(filtered.bytes, filtered.length, "irot\1"), "%s: the rotation is kept", name);
    }
    tap_is(check_picture(heif.bytes, heif.length), NULL, "%s: filtering again changes nothing",
           name);
    free(filtered.bytes);
}

static const struct {
    const char *name;
    make_t make;
} kept[] = {
    { "iloc 0", { .iloc = 0, .infe = 2, .offset = 4, .length = 4 } },
    { "iloc 0 with a base", { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .base = 4 } },
    { "iloc 1", { .iloc = 1, .infe = 2, .offset = 4, .length = 4, .base = 8, .index = 4 } },
    { "iloc 1, 64 bits", { .iloc = 1, .infe = 3, .offset = 8, .length = 8, .index = 8 } },
    { "iloc 2", { .iloc = 2, .infe = 3, .offset = 4, .length = 8, .base = 4 } },
    { "items in idat", { .iloc = 1, .infe = 2, .offset = 4, .length = 4, .construction = 1 } },
    { "an item in several extents",
      { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .split = true } },
    { "a long mdat", { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .long_box = true } },
    { "an endless mdat", { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .endless = true } },
    { "an endless mdat and a tail",
      { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .endless = true, .tail = "secret video" } },
    { "a tail that is a box",
      { .iloc = 0,
        .infe = 2,
        .offset = 4,
        .length = 4,
        .tail = "000Cmpvd a secret video of a moving "
                "picture, which is just 67 ...." } },
    { "a tail without boxes",
      { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .tail = "\xff\xff\xff\xffSEFT secret" } },
    { "a movie", { .iloc = 0, .infe = 2, .offset = 4, .length = 4, .movie = true } },
};

static void test_refused(const char *name, const heif_t *heif, const char *clause)
{
    filtered_t filtered;

    tap_is(filter_picture(heif->bytes, heif->length, &filtered), NULL,
           "%s: the filter returns a result", name);
    tap_is(filtered.wrong, clause, "%s is refused", name);
    free(filtered.bytes);
}

static size_t place_of(const heif_t *heif, const char *type)
{
    const unsigned char *found = memmem(heif->bytes, heif->length, type, 4);

    if (!found) {
        abort();
    }
    return (size_t)(found - heif->bytes);
}

static const make_t simple = { .iloc = 0, .infe = 2, .offset = 4, .length = 4 };

/* Numbers at a place behind the type of a box, set to something else. */
static const struct {
    const char *name, *type;
    int skip;
    uint64_t number;
    int width;
    const char *clause;
} broken[] = {
    { "a meta box that is too long", "meta", -4, 0x7fffffff, 4, "a box reaches beyond the end" },
    { "media data that is too long", "mdat", -4, 0x7fffffff, 4, "a box reaches beyond the end" },
    { "a box shorter than its head", "meta", -4, 7, 4, "a box reaches beyond the end" },
    { "no meta box", "meta", 0, 0x6d657461 + 1, 4, "it has no meta box" },
    { "a table of version 3", "iloc", 4, 3, 1, "its table of items is malformed" },
    { "widths of 3 bytes", "iloc", 8, 0x3400, 2, "its table of items is malformed" },
    { "a table that claims more items", "iloc", 10, 5, 2, "its table of items is cut short" },
    { "too many items", "iloc", 10, 0xffff, 2, "it has too many items" },
    { "an item that claims more extents", "iloc", 16, 0xffff, 2,
      "an item lies outside the media data" },
    { "an offset that is too big", "iloc", 18, 0xffffffff, 4,
      "an item lies outside the media data" },
    { "an offset into the boxes", "iloc", 18, 0, 4, "an item lies outside the media data" },
    { "a length that is too big", "iloc", 22, 0xffffffff, 4,
      "an item lies outside the media data" },
    { "no table of items", "iloc", 0, 0x66726565, 4, "it does not say where its items are" },
    { "no list of items", "iinf", 0, 0x66726565, 4, "it does not say where its items are" },
    { "a duplicate table of items", "iinf", 0, 0x696c6f63, 4, "it has a duplicate box" },
    { "a box within meta that is too long", "iinf", -4, 0x7fff, 4,
      "a box reaches beyond the end of the meta box" },
};

static void test_broken(void)
{
    heif_t heif;

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        make_heif(&heif, &simple);
        set_number(&heif, place_of(&heif, broken[i].type) + (size_t)broken[i].skip,
                   broken[i].number, broken[i].width);
        test_refused(broken[i].name, &heif, broken[i].clause);
    }
}

static void test_strange(void)
{
    static const make_t within = {
        .iloc = 1, .infe = 2, .offset = 4, .length = 4, .construction = 2
    };
    static const make_t sound = {
        .infe = 2, .offset = 4, .length = 4, .movie = true, .handler = "soun"
    };
    heif_t heif;

    make_heif(&heif, &within);
    test_refused("an item within another", &heif, "an item lies within another");
    make_heif(&heif, &sound);
    test_refused("an audio track", &heif, "it has a track that is no picture");
    make_heif(&heif, &simple);
    for (int i = 0; i < 17; i++) {
        put_box(&heif, "mdat", "");
    }
    test_refused("media data in many boxes", &heif, "it has too many boxes of media data");
    make_heif(&heif, &simple);
    put_box(&heif, "meta", "0000");
    test_refused("two meta boxes", &heif, "it has a duplicate box");
    heif.length = heif.depth = 0;
    put_box(&heif, "ftyp", "heic0000mif1");
    put_box(&heif, "meta", "00");
    test_refused("a meta box of two bytes", &heif, "its meta box is cut short");
}

/* Boxes nested far deeper than in real files. */
static void test_depth(void)
{
    heif_t heif;

    make_heif(&heif, &simple);
    for (int i = 0; i < 100; i++) {
        put_number(&heif, (uint64_t)(100 - i) * 8, 4);
        put_text(&heif, i == 0 ? "moov" : "trak");
    }
    test_refused("a hundred nested boxes", &heif, "its boxes are nested too deeply");
}

static void test_cuts(void)
{
    const char *wrong = NULL;
    heif_t heif;

    make_heif(&heif, &kept[5].make);
    for (size_t length = 0; length < heif.length && !wrong; length++) {
        unsigned char *copy = malloc(length ? length : 1);

        if (!copy) {
            abort();
        }
        memcpy(copy, heif.bytes, length);
        wrong = check_picture(copy, length);
        free(copy);
    }
    tap_is(wrong, NULL, "a HEIC truncated anywhere gives a result");
}

int main(void)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        test_kept(kept[i].name, &kept[i].make);
    }
    test_broken();
    test_strange();
    test_depth();
    test_cuts();
    return tap_done();
}
