/*
 * corpus.c - write 200 small pictures in the six formats with many options of libvips, for tests
 * that damage them.
 *
 *   corpus PICTURE FOLDER      writes FOLDER/000.jpg, FOLDER/001.png, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <vips/vips.h>

#define COUNT           200
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

typedef enum {
    RGB,
    GREY,
    ALPHA,
    GREY_ALPHA,
    DEEP,
    CMYK,
    FRAMES,
    KINDS
} kind_t;

typedef struct way_t {
    kind_t kind;
    const char *name; /* extension, with the saver's options */
} way_t;

static const way_t ways[] = {
    { RGB, "jpg" },
    { RGB, "png" },
    { RGB, "webp" },
    { RGB, "gif" },
    { RGB, "heic[compression=hevc]" },
    { RGB, "avif[compression=av1,effort=0]" },
    { RGB, "jpg[interlace]" },
    { RGB, "png[interlace]" },
    { RGB, "webp[lossless]" },
    { FRAMES, "gif" },
    { ALPHA, "heic[compression=hevc]" },
    { ALPHA, "avif[compression=av1,effort=0]" },
    { CMYK, "jpg[strip]" },
    { ALPHA, "png" },
    { ALPHA, "webp[lossless]" },
    { ALPHA, "gif[dither=0]" },
    { DEEP, "heic[compression=hevc,bitdepth=10]" },
    { RGB, "avif[compression=av1,effort=0,lossless]" },
    { GREY, "jpg[restart_interval=2]" },
    { DEEP, "png[interlace]" },
    { ALPHA, "webp" },
    { GREY, "gif[interlace]" },
    { RGB, "heic[compression=hevc,Q=10]" },
    { GREY, "avif[compression=av1,effort=0]" },
    { RGB, "jpg[profile=p3,subsample_mode=off]" },
    { RGB, "png[palette]" },
    { FRAMES, "webp" },
    { GREY, "heic[compression=hevc]" },
    { DEEP, "avif[compression=av1,effort=0,bitdepth=12]" },
    { CMYK, "jpg[interlace,strip]" },
    { GREY, "png[bitdepth=1]" },
    { RGB, "webp[profile=p3,near_lossless]" },
    { GREY_ALPHA, "png[interlace]" },
    { RGB, "png[profile=p3,palette,interlace]" },
};

static void fail(const char *what)
{
    fprintf(stderr, "corpus: %s: %s", what, vips_error_buffer());
    exit(1);
}

static VipsImage *frames_of(VipsImage *rgb)
{
    VipsImage *flipped, *joined, *copy;

    if (vips_flip(rgb, &flipped, VIPS_DIRECTION_VERTICAL, NULL) != 0
        || vips_join(rgb, flipped, &joined, VIPS_DIRECTION_VERTICAL, NULL) != 0
        || vips_copy(joined, &copy, NULL) != 0) {
        return NULL;
    }
    vips_image_set_int(copy, VIPS_META_PAGE_HEIGHT, rgb->Ysize);
    return copy;
}

/* Make the picture in all color models, with this width. */
static void make_kinds(const char *path, int side, VipsImage *kinds[KINDS])
{
    VipsImage *all, *small;

    if (vips_thumbnail(path, &small, side, "height", 8 + side * 3 / 4, "size", VIPS_SIZE_FORCE,
                       NULL)
            != 0
        || vips_extract_band(small, &all, 0, "n", 3, NULL) != 0
        || !(kinds[RGB] = vips_image_copy_memory(all))
        || vips_colourspace(kinds[RGB], &kinds[GREY], VIPS_INTERPRETATION_B_W, NULL) != 0
        || vips_bandjoin_const1(kinds[RGB], &kinds[ALPHA], 120, NULL) != 0
        || vips_bandjoin_const1(kinds[GREY], &kinds[GREY_ALPHA], 0, NULL) != 0
        || vips_colourspace(kinds[RGB], &kinds[DEEP], VIPS_INTERPRETATION_RGB16, NULL) != 0
        || vips_icc_export(kinds[RGB], &kinds[CMYK], "output_profile", "cmyk", NULL) != 0
        || !(kinds[FRAMES] = frames_of(kinds[RGB]))) {
        fail(path);
    }
}

int main(int argc, char **argv)
{
    VipsImage *kinds[KINDS];

    if (argc != 3 || VIPS_INIT(argv[0]) != 0) {
        fail("usage: corpus PICTURE FOLDER");
    }
    vips_concurrency_set(1);
    for (int i = 0; i < COUNT; i++) {
        const way_t *way = &ways[(size_t)i % COUNT_OF(ways)];
        char *file = g_strdup_printf("%s/%03d.%s", argv[2], i, way->name);

        if (way == ways) {
            make_kinds(argv[1], 16 + 8 * (i / (int)COUNT_OF(ways)), kinds);
        }
        if (vips_image_write_to_file(kinds[way->kind], file, NULL) != 0) {
            fail(file);
        }
        g_free(file);
    }
    return 0;
}
