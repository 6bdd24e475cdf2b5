/* generator_test.c - the pixels of each aspect ratio and resolution. */
#include "services/generator/generator.h"
#include "tap.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *ratio;
    int sides[6];
} sizes[] = {
    { "1:1", { 1024, 1024, 2048, 2048, 4096, 4096 } },
    { "2:3", { 848, 1264, 1696, 2528, 3392, 5056 } },
    { "3:2", { 1264, 848, 2528, 1696, 5056, 3392 } },
    { "3:4", { 896, 1200, 1792, 2400, 3584, 4800 } },
    { "4:3", { 1200, 896, 2400, 1792, 4800, 3584 } },
    { "4:5", { 928, 1152, 1856, 2304, 3712, 4608 } },
    { "5:4", { 1152, 928, 2304, 1856, 4608, 3712 } },
    { "9:16", { 768, 1376, 1536, 2752, 3072, 5504 } },
    { "16:9", { 1376, 768, 2752, 1536, 5504, 3072 } },
    { "21:9", { 1584, 672, 3168, 1344, 6336, 2688 } },
    { "1:4", { 512, 2048, 1024, 4096, 2048, 8192 } },
    { "4:1", { 2048, 512, 4096, 1024, 8192, 2048 } },
    { "1:8", { 384, 3072, 768, 6144, 1536, 12288 } },
    { "8:1", { 3072, 384, 6144, 768, 12288, 1536 } },
};

int main(void)
{
    int width = -1, height = -1;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        tap_is(iimg_aspect_ratios[i], sizes[i].ratio, "ratio %d of the list is %s", (int)i,
               sizes[i].ratio);
        for (int k = 0; iimg_resolutions[k]; k++) {
            tap_ok(iimg_generator_size(sizes[i].ratio, iimg_resolutions[k], &width, &height)
                       && width == sizes[i].sides[2 * k] && height == sizes[i].sides[2 * k + 1],
                   "%s at %s has Google's dimensions", sizes[i].ratio, iimg_resolutions[k]);
        }
    }
    tap_is(iimg_aspect_ratios[COUNT(sizes)], NULL, "the list of ratios has no others");
    tap_ok(!iimg_generator_size("7:13", "1K", &width, &height), "an unknown ratio has no size");
    tap_ok(!iimg_generator_size("16:9", "4k", &width, &height), "resolutions are case-sensitive");
    return tap_done();
}
