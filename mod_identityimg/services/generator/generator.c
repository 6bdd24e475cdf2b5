/* generator.c - the sizes of generated pictures. */
#include "services/generator/generator.h"

#include <string.h>

const char *const iimg_aspect_ratios[] = { "1:1", "2:3", "3:2",  "3:4",  "4:3",
                                           "4:5", "5:4", "9:16", "16:9", "21:9",
                                           "1:4", "4:1", "1:8",  "8:1",  NULL };

const char *const iimg_resolutions[] = { "1K", "2K", "4K", NULL };

/* Pixels at 1K, in the order of the ratios. Google's numbers only approximate the ratio. */
static const struct {
    int width, height;
} sizes[] = {
    { 1024, 1024 }, { 848, 1264 }, { 1264, 848 }, { 896, 1200 }, { 1200, 896 },
    { 928, 1152 },  { 1152, 928 }, { 768, 1376 }, { 1376, 768 }, { 1584, 672 },
    { 512, 2048 },  { 2048, 512 }, { 384, 3072 }, { 3072, 384 },
};

/* Factor of each resolution over the sides at 1K. */
static const int scales[] = { 1, 2, 4 };

_Static_assert(sizeof(sizes) / sizeof(sizes[0]) + 1
                   == sizeof(iimg_aspect_ratios) / sizeof(iimg_aspect_ratios[0]),
               "each aspect ratio has a size");
_Static_assert(sizeof(scales) / sizeof(scales[0]) + 1
                   == sizeof(iimg_resolutions) / sizeof(iimg_resolutions[0]),
               "each resolution has a scale");

/* @return -1 if the list does not contain the name */
static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

bool iimg_generator_size(const char *aspect_ratio, const char *resolution, int *width, int *height)
{
    int ratio = index_of(iimg_aspect_ratios, aspect_ratio);
    int scale = index_of(iimg_resolutions, resolution);

    if (ratio < 0 || scale < 0) {
        return false;
    }
    *width = sizes[ratio].width * scales[scale];
    *height = sizes[ratio].height * scales[scale];
    return true;
}
