/* tone_map.c - map HDR pictures (PQ, HLG) to SDR. */
#include "worker/tone_map.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * PQ is SMPTE ST 2084 (ITU-R BT.2100, table 4), HLG is BT.2100, table 5, shown on a display of
 * 1000 cd/m2. Light beyond SDR is compressed as in Chromium and in SMPTE ST 2094-50 for pictures
 * without a curve: one gain for all three colors, derived from the largest. The gain is constant up
 * to the reference white of BT.2408 (203 cd/m2). Above it, a quadratic Bezier curve maps the
 * brightest pixel to SDR's white.
 */
#define COLORS          3
#define REFERENCE_WHITE 203.0
#define USUAL_LIGHT     1000.0 /* of HLG, and if unknown */
#define KAPPA           0.65   /* position of the middle point between the knee and the asymptote */

/* The curve after the knee at (1, white): (x, y) = a t^2 + b t + (1, white), t from 0 to 1. */
typedef struct curve_t {
    double white; /* reference white's share of SDR's white */
    double most;  /* x of the brightest pixel, in units of reference white */
    double ax, bx, ay, by;
} curve_t;

static curve_t make_curve(double most_light)
{
    double most = fmax(most_light > 0 ? most_light : USUAL_LIGHT, REFERENCE_WHITE)
                  / REFERENCE_WHITE;
    double white = 1 - 0.5 * fmin(log2(most) / log2(USUAL_LIGHT / REFERENCE_WHITE), 1);
    double middle_x = 1 - KAPPA + KAPPA / white, middle_y = (1 - KAPPA) * white + KAPPA;

    return (curve_t){ white,
                      most,
                      1 - 2 * middle_x + most,
                      2 * middle_x - 2,
                      white - 2 * middle_y + 1,
                      2 * middle_y - 2 * white };
}

/* @return the factor for a color whose largest component is this */
static float find_gain(const curve_t *curve, float largest)
{
    double c, t;

    if (largest <= 1) {
        return (float)curve->white;
    }
    if (largest >= curve->most) {
        return 1 / largest;
    }
    c = 1 - (double)largest;
    /* This form is stable for small ax, too. */
    t = -2 * c / (curve->bx + sqrt(curve->bx * curve->bx - 4 * curve->ax * c));
    return (float)((curve->white + curve->by * t + curve->ay * t * t) / (double)largest);
}

/* @return cd/m2 in units of reference white */
static double pq_light(double code)
{
    const double m1 = 2610.0 / 16384, m2 = 2523.0 / 4096 * 128;
    const double c1 = 3424.0 / 4096, c2 = 2413.0 / 4096 * 32, c3 = 2392.0 / 4096 * 32;
    double power = pow(code, 1 / m2);

    return 10000 / REFERENCE_WHITE * pow(fmax(power - c1, 0) / (c2 - c3 * power), 1 / m1);
}

/* @return scene light, from 0 to 1 */
static double hlg_light(double code)
{
    const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);

    return code <= 0.5 ? code * code / 3 : (exp((code - c) / a) + b) / 12;
}

/* Compute the light of each code. @return NULL when out of memory */
static float *make_table(iimg_hdr_t hdr, int codes)
{
    float *table = malloc((size_t)codes * sizeof(*table));

    for (int i = 0; table && i < codes; i++) {
        double code = (double)i / (codes - 1);

        table[i] = (float)(hdr == IIMG_HDR_PQ ? pq_light(code) : hlg_light(code));
    }
    return table;
}

/* Convert HLG's scene light to display light, in units of reference white. */
static void apply_ootf(float light[COLORS], const double luminance[3])
{
    double sum = 0, gain;

    for (int i = 0; i < COLORS; i++) {
        sum += luminance[i] * (double)light[i];
    }
    gain = USUAL_LIGHT / REFERENCE_WHITE * pow(sum, 0.2);
    for (int i = 0; i < COLORS; i++) {
        light[i] *= (float)gain;
    }
}

typedef struct mapping_t {
    iimg_hdr_t hdr;
    const double *luminance;
    curve_t curve;
    const float *table;
    int bands; /* of a pixel: three colors, and alpha if present */
} mapping_t;

static void map_pixel(const mapping_t *mapping, const uint16_t *from, uint16_t *to)
{
    float light[COLORS], gain;

    for (int i = 0; i < COLORS; i++) {
        light[i] = mapping->table[from[i]];
    }
    if (mapping->hdr == IIMG_HDR_HLG) {
        apply_ootf(light, mapping->luminance);
    }
    gain = find_gain(&mapping->curve, fmaxf(fmaxf(light[0], light[1]), light[2]));
    for (int i = 0; i < COLORS; i++) {
        to[i] = (uint16_t)(fminf(light[i] * gain, 1) * UINT16_MAX + 0.5f);
    }
}

static void map_pixels(const mapping_t *mapping, const uint16_t *from, uint16_t *to, size_t count)
{
    for (; count > 0; count--, from += mapping->bands, to += mapping->bands) {
        map_pixel(mapping, from, to);
        for (int i = COLORS; i < mapping->bands; i++) {
            to[i] = from[i];
        }
    }
}

/* Convert to 16 bits in memory. @return NULL with libvips' error set */
static VipsImage *widen_samples(VipsImage *in)
{
    double scale = in->BandFmt == VIPS_FORMAT_UCHAR ? 257 : 1;
    VipsImage *scaled, *wide;

    if (vips_linear1(in, &scaled, scale, 0, NULL) != 0
        || vips_cast(scaled, &wide, VIPS_FORMAT_USHORT, NULL) != 0) {
        return NULL;
    }
    return vips_image_copy_memory(wide);
}

int iimg_tone_map(VipsImage *in, iimg_hdr_t hdr, const double luminance[3], double most_light,
                  VipsImage **out)
{
    VipsImage *wide = widen_samples(in);
    mapping_t mapping = { hdr, luminance,
                          make_curve(hdr == IIMG_HDR_HLG ? USUAL_LIGHT : most_light),
                          make_table(hdr, UINT16_MAX + 1), in->Bands };
    size_t pixels = (size_t)in->Xsize * (size_t)in->Ysize;
    size_t size = pixels * (size_t)in->Bands * sizeof(uint16_t);
    uint16_t *mapped = malloc(size);

    if (!wide || !mapping.table || !mapped) {
        return -1;
    }
    map_pixels(&mapping, (const uint16_t *)(const void *)wide->data, mapped, pixels);
    *out = vips_image_new_from_memory(mapped, size, in->Xsize, in->Ysize, in->Bands,
                                      VIPS_FORMAT_USHORT);
    if (!*out) {
        return -1;
    }
    (*out)->Type = VIPS_INTERPRETATION_RGB16;
    vips_image_set_int(*out, VIPS_META_ORIENTATION, vips_image_get_orientation(in));
    return 0;
}
