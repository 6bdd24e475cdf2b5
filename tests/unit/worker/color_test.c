/* color_test.c - worker/color.c: code points of ITU-T H.273, and which numbers of a container make
 * a color space. */
#include "worker/tone_map.c"
#undef COLORS
#include "worker/color.c"
#include "tap.h"

/* H.273, table 2: white, red, green, blue. */
static const struct {
    int code;
    double xy[8];
} standard[] = {
    { 1, { 0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06 } },
    { 4, { 0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08 } },
    { 5, { 0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06 } },
    { 6, { 0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070 } },
    { 7, { 0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070 } },
    { 8, { 0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049 } },
    { 9, { 0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046 } },
    { 10, { 1 / 3.0, 1 / 3.0, 1, 0, 0, 1, 0, 0 } },
    { 11, { 0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060 } },
    { 12, { 0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060 } },
    { 22, { 0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077 } },
};

/* Light of the codes 0.02 and 0.5, of still pictures and of HEIF's; -1: PQ, -2: HLG. */
static const struct {
    int code;
    double dark, middle, video_dark, video_middle;
} lights[] = {
    { 1, 0.0000837, 0.1894646, 0.0015480, 0.2140411 },
    { 4, 0.0001829, 0.2176376, 0.0001829, 0.2176376 },
    { 5, 0.0000175, 0.1435873, 0.0000175, 0.1435873 },
    { 6, 0.0000837, 0.1894646, 0.0015480, 0.2140411 },
    { 7, 0.005, 0.2650357, 0.005, 0.2650357 },
    { 8, 0.02, 0.5, 0.02, 0.5 },
    { 11, 0.0000837, 0.1894646, 0.0015480, 0.2140411 },
    { 13, 0.0015480, 0.2140411, 0.0015480, 0.2140411 },
    { 14, 0.0000837, 0.1894646, 0.0015480, 0.2140411 },
    { 15, 0.0000837, 0.1894646, 0.0015480, 0.2140411 },
    { 16, -1, -1, -1, -1 },
    { 17, 0.0000417, 0.1799636, 0.0000417, 0.1799636 },
    { 18, -2, -2, -2, -2 },
};

static double light_of(const transfer_t *transfer, double code)
{
    const double *c = transfer->curve;

    if (transfer->kind != CURVE) {
        return transfer->kind == PQ ? -1 : -2;
    }
    return code >= c[4] ? pow(c[1] * code + c[2], c[0]) : c[3] * code;
}

static void test_code_points(void)
{
    size_t next = 0;

    for (int code = 0; code < 256; code++) {
        const double *xy = find_primaries(code);
        bool known = next < COUNT(standard) && standard[next].code == code;

        tap_ok(known ? xy && memcmp(xy, standard[next].xy, sizeof(standard[next].xy)) == 0 : !xy,
               "primaries %d are %s", code, known ? "the standard's" : "unknown");
        next += known;
    }
    next = 0;
    for (int code = 0; code < 256; code++) {
        bool known = next < COUNT(lights) && lights[next].code == code;
        const transfer_t *still = find_transfer(code, false), *video = find_transfer(code, true);

        tap_ok(known == (still != NULL) && known == (video != NULL), "transfer %d is %s", code,
               known ? "known" : "unknown");
        if (known && still && video) {
            tap_ok(fabs(light_of(still, 0.02) - lights[next].dark) < 1e-6
                       && fabs(light_of(still, 0.5) - lights[next].middle) < 1e-6,
                   "transfer %d of still pictures", code);
            tap_ok(fabs(light_of(video, 0.02) - lights[next].video_dark) < 1e-6
                       && fabs(light_of(video, 0.5) - lights[next].video_middle) < 1e-6,
                   "transfer %d of HEIF", code);
        }
        next += known;
    }
}

static void test_taking(void)
{
    static const struct {
        const char *what;
        iimg_color_t color;
        bool code_points, gamma;
    } cases[] = {
        { "nothing", { .gamma = 0 }, false, false },
        { "code points", { .has_cicp = true, .primaries = 9, .transfer = 16 }, true, false },
        { "code points without the mark", { .primaries = 9, .transfer = 16 }, false, false },
        { "unknown primaries", { .has_cicp = true, .primaries = 2, .transfer = 16 }, false, false },
        { "an unknown transfer",
          { .has_cicp = true, .primaries = 9, .transfer = 2 },
          false,
          false },
        { "unknown primaries in HEIF",
          { .has_cicp = true, .primaries = 2, .transfer = 16, .is_video = true },
          true,
          false },
        { "an unknown transfer in HEIF",
          { .has_cicp = true, .primaries = 9, .transfer = 2, .is_video = true },
          true,
          false },
        { "a gamma", { .gamma = 100000 }, false, true },
        { "a screen's gamma", { .gamma = 45455 }, false, false },
        { "nearly a screen's gamma", { .gamma = 45454 }, false, true },
        { "a screen's gamma with chromaticities",
          { .gamma = 45455, .has_chromaticities = true },
          false,
          true },
        { "a gamma beside sRGB", { .gamma = 100000, .has_srgb = true }, false, false },
        { "chromaticities alone", { .has_chromaticities = true }, false, false },
    };
    iimg_color_t color = { .gamma = 50000,
                           .has_chromaticities = true,
                           .chromaticities = { 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000 } };
    space_t space;

    for (size_t i = 0; i < COUNT(cases); i++) {
        tap_ok(read_code_points(&cases[i].color, &space) == cases[i].code_points,
               "%s: code points or none", cases[i].what);
        tap_ok(read_gamma(&cases[i].color, &space) == cases[i].gamma, "%s: a gamma or none",
               cases[i].what);
    }
    (void)read_gamma(&color, &space);
    tap_ok(space.xy[0] == 0.01 && space.xy[7] == 0.08, "chromaticities are 100,000ths");
    tap_ok(space.transfer.curve[0] == 2, "a gamma is turned over");
    color.gamma = 1;
    (void)read_gamma(&color, &space);
    tap_ok(space.transfer.curve[0] == 1000, "a gamma is 1000 at most");
    (void)read_code_points(&(iimg_color_t){ .has_cicp = true, .primaries = 1, .transfer = 13 },
                           &space);
    tap_ok(is_srgb(&space), "code points of sRGB are sRGB");
    (void)read_code_points(
        &(iimg_color_t){ .has_cicp = true, .primaries = 2, .transfer = 2, .is_video = true },
        &space);
    tap_ok(is_srgb(&space), "unknown code points of HEIF are sRGB");
    (void)read_code_points(&(iimg_color_t){ .has_cicp = true, .primaries = 1, .transfer = 16 },
                           &space);
    tap_ok(!is_srgb(&space), "sRGB's primaries with PQ are not sRGB");
    (void)read_code_points(&(iimg_color_t){ .has_cicp = true, .primaries = 12, .transfer = 13 },
                           &space);
    tap_ok(!is_srgb(&space), "sRGB's curve with other primaries is not sRGB");
}

static void test_sense(void)
{
    static const struct {
        int index;
        double value;
        bool sensible;
    } cases[] = {
        { 0, 0.3127, true },  { 0, -0.0001, false }, { 0, 0, true },      { 0, 1, true },
        { 0, 1.0001, false }, { 1, 0, false },       { 1, 0.0001, true }, { 2, 1.0001, false },
        { 3, -0.1, false },   { 5, 1.1, false },     { 7, -0.1, false },  { 7, 0, true },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        space_t space;

        set_primaries(&space, primaries[0].xy);
        space.xy[cases[i].index] = cases[i].value;
        tap_ok(is_valid_space(&space) == cases[i].sensible, "number %d of %g makes %s",
               cases[i].index, cases[i].value, cases[i].sensible ? "a space" : "no space");
    }
    {
        space_t space = { .xy = { 0.3, 0.3, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3 } };

        tap_ok(!is_valid_space(&space), "primaries on one line make no space");
        space.xy[6] = 0.3001;
        tap_ok(is_valid_space(&space), "primaries beside one line make one");
    }
}

int main(void)
{
    test_code_points();
    test_taking();
    test_sense();
    return tap_done();
}
