/* tone_map_test.c - worker/tone_map.c: light of PQ and HLG by their standards, and the curve into
 * SDR by points of its Bezier. */
#include "worker/tone_map.c"
#include <stdbool.h>
#include "tap.h"

static bool near(double got, double want)
{
    return fabs(got - want) <= 1e-6 * fmax(1, fabs(want));
}

/* Values computed apart from this code. */
static const struct {
    double code, light; /* cd/m2 */
} pq[] = {
    { 0, 0 },
    { 0.1, 0.3245655914644875 },
    { 0.25, 5.154176009833007 },
    { 0.5, 92.24570899406527 },
    { 0.58068888, 202.9999979770076 },
    { 0.75, 983.3778555870275 },
    { 0.9, 3905.6446528344222 },
    { 1, 10000 },
};

static const struct {
    double code, light;
} hlg[] = {
    { 0, 0 },
    { 0.25, 0.020833333333333332 },
    { 0.5, 0.08333333333333333 },
    { 0.5001, 0.08336667598809788 },
    { 0.75, 0.26496256042100724 },
    { 1, 1.0000000269348075 },
};

static const float largest[] = { 0.5f, 1, 1.5f, 3, 4.9f, 10, 60 };

static const struct {
    double most_light, white, most;
    double gains[7];
} curves[] = {
    { 0, 0.5, 4.926108374384237, { 0.5, 0.5, 0.4370027, 0.2878255, 0.2037961, 0.1, 0.0166667 } },
    { 100, 1, 1, { 1, 1, 0.6666667, 0.3333333, 0.2040816, 0.1, 0.0166667 } },
    { 203, 1, 1, { 1, 1, 0.6666667, 0.3333333, 0.2040816, 0.1, 0.0166667 } },
    { 400,
      0.7873196620225014,
      1.9704433497536946,
      { 0.7873197, 0.7873197, 0.6278364, 0.3333333, 0.2040816, 0.1, 0.0166667 } },
    { 4000,
      0.5,
      19.704433497536947,
      { 0.5, 0.5, 0.3905037, 0.2278553, 0.1542167, 0.0873855, 0.0166667 } },
    { 10000,
      0.5,
      49.26108374384236,
      { 0.5, 0.5, 0.3716346, 0.2066193, 0.1361672, 0.0748714, 0.0166667 } },
};

static void test_light(void)
{
    for (size_t i = 0; i < sizeof(pq) / sizeof(pq[0]); i++) {
        tap_ok(near(pq_light(pq[i].code) * 203, pq[i].light), "PQ %g is %g cd/m2", pq[i].code,
               pq[i].light);
    }
    for (size_t i = 0; i < sizeof(hlg) / sizeof(hlg[0]); i++) {
        tap_ok(near(hlg_light(hlg[i].code), hlg[i].light), "HLG %g is %g of the scene", hlg[i].code,
               hlg[i].light);
    }
}

static void test_curves(void)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        curve_t curve = make_curve(curves[i].most_light);

        tap_ok(near(curve.white, curves[i].white) && near(curve.most, curves[i].most),
               "%g cd/m2: white and the brightest pixel", curves[i].most_light);
        for (int k = 0; k < 7; k++) {
            tap_ok(near((double)find_gain(&curve, largest[k]), curves[i].gains[k]),
                   "%g cd/m2: the gain of %g times white", curves[i].most_light,
                   (double)largest[k]);
        }
    }
}

static void test_ootf(void)
{
    static const double luminance[] = { 0.2, 0.7, 0.1 };
    float light[] = { 1, 1, 1 }, half[] = { 0.5f, 0, 0 };

    apply_ootf(light, luminance);
    tap_ok(near((double)light[0], 1000 / 203.0) && near((double)light[2], 1000 / 203.0),
           "HLG's white is a display's 1000 cd/m2");
    apply_ootf(half, luminance);
    tap_ok(near((double)half[0], 0.5 * 1000 / 203.0 * pow(0.1, 0.2)) && half[1] == 0,
           "HLG's red has the display's gamma");
}

/* One pixel through the whole. */
static void test_pixels(int bands)
{
    static const double luminance[] = { 0.2627, 0.6780, 0.0593 };
    uint16_t from[4] = { 65535, 38055, 0, 1234 }, to[4] = { 0 };
    mapping_t mapping = { IIMG_HDR_PQ, luminance, make_curve(10000),
                          make_table(IIMG_HDR_PQ, UINT16_MAX + 1), bands };

    map_pixels(&mapping, from, to, 1);
    tap_is_number(to[0], 65535, "%d bands: PQ's brightest is white", bands);
    tap_ok(fabs(to[1] - 65535.0 * 203 / 10000) < 2, "%d bands: all colors have one gain", bands);
    tap_is_number(to[2], 0, "%d bands: black stays", bands);
    tap_is_number(to[3], bands == 4 ? 1234 : 0, "%d bands: alpha stays", bands);
    mapping.hdr = IIMG_HDR_HLG;
    mapping.table = make_table(IIMG_HDR_HLG, UINT16_MAX + 1);
    mapping.curve = make_curve(1000);
    from[0] = from[1] = from[2] = 65535;
    map_pixels(&mapping, from, to, 1);
    tap_is_number(to[0], 65535, "%d bands: HLG's brightest is white", bands);
    from[0] = from[1] = from[2] = 32768;
    map_pixels(&mapping, from, to, 1);
    /* 1/12 of the scene: its light on the display is below reference white. */
    tap_ok(fabs(to[0] - 65535 * 0.5 * 1000 / 203 / 12 * pow(1 / 12.0, 0.2)) < 4,
           "%d bands: HLG's middle", bands);
}

int main(void)
{
    test_light();
    test_curves();
    test_ootf();
    test_pixels(3);
    test_pixels(4);
    return tap_done();
}
