/* resample.c - Lanczos resampling in two passes, with loops that compilers vectorize.
 *
 * libvips 8.14 generates vector code at run time, which the sandbox forbids, and its plain code is
 * several times slower than this. This file can go once Debian 12 is no longer supported and
 * libvips 8.16, whose vector code is compiled ahead of time, is the minimum. The pictures part of
 * `make bench` has a line for libvips alone, so that the claim stays checked.
 */
#include "worker/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOBES   3
#define AT_ONCE 4 /* rows that are added at a time */

/* The weighted input samples of an output sample, starting at `first`. */
typedef struct tap_t {
    int first, count;
    const float *weights; /* padded with 0 */
} tap_t;

typedef struct kernel_t {
    tap_t *taps; /* one for each output sample */
    float *weights;
    int length; /* weights of each tap: a multiple of AT_ONCE */
} kernel_t;

/* The samples of a pixel, unaligned. */
typedef float lanes_t __attribute__((vector_size(16), aligned(4), may_alias));

/* Kernel -------------------------------------------------------------------------------------- */

static double sinc(double x)
{
    return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos(double x)
{
    return fabs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

/* Compute the weights of a tap, with the sum of 1. Samples beyond the edges are skipped. */
static void compute_weights(tap_t *tap, float *weights, double center, double scale, int from,
                            int to)
{
    double sum = 0;

    for (int i = from; i < to; i++) {
        weights[i - from] = (float)lanczos((i + 0.5 - center) / scale);
        sum += weights[i - from];
    }
    for (int i = from; i < to; i++) {
        weights[i - from] /= (float)sum;
    }
    tap->first = from;
    tap->count = to - from;
    tap->weights = weights;
}

static bool make_kernel(kernel_t *kernel, int in, int out)
{
    double scale = (double)in / out, reach = LOBES * scale;

    kernel->length = ((int)ceil(2 * reach) + 1 + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
    kernel->taps = calloc((size_t)out, sizeof(*kernel->taps));
    kernel->weights = calloc((size_t)out * (size_t)kernel->length, sizeof(*kernel->weights));
    if (!kernel->taps || !kernel->weights) {
        return false;
    }
    for (int i = 0; i < out; i++) {
        double center = (i + 0.5) * scale;
        int from = (int)fmax(0, floor(center - reach)), to = (int)fmin(in, ceil(center + reach));

        compute_weights(&kernel->taps[i], kernel->weights + (size_t)i * (size_t)kernel->length,
                        center, scale, from,
                        to < from + kernel->length ? to : from + kernel->length);
    }
    return true;
}

/* Passes -------------------------------------------------------------------------------------- */

/* Compute an output row with the width of the input. */
static void blend_rows(const iimg_pixels_t *in, const tap_t *tap, float *restrict row)
{
    int length = in->width * in->bands;

    memset(row, 0, (size_t)length * sizeof(*row));
    for (int i = 0; i < tap->count; i += AT_ONCE) {
        const unsigned char *lines[AT_ONCE];
        const float *w = tap->weights + i;

        for (int k = 0; k < AT_ONCE; k++) {
            int y = tap->first + i + k < in->height ? tap->first + i + k : in->height - 1;

            lines[k] = in->data + (size_t)y * (size_t)length;
        }
        for (int x = 0; x < length; x++) {
            row[x] += w[0] * lines[0][x] + w[1] * lines[1][x] + w[2] * lines[2][x]
                      + w[3] * lines[3][x];
        }
    }
}

static unsigned char to_byte(float value)
{
    value = value < 0 ? 0 : value > 255 ? 255 : value;
    return (unsigned char)(value + 0.5f);
}

/* Compute the output width of a row. Pixels are read as four samples, however many they have: the
 * row has room after its end. */
static void blend_columns(const float *row, const kernel_t *kernel, iimg_pixels_t *out, int y)
{
    int bands = out->bands;
    unsigned char *to = out->data + (size_t)y * (size_t)out->width * (size_t)bands;

    for (int x = 0; x < out->width; x++, to += bands) {
        const tap_t *tap = &kernel->taps[x];
        const float *from = row + (size_t)tap->first * (size_t)bands;
        lanes_t sum = { 0 };

        for (int i = 0; i < tap->count; i++, from += bands) {
            sum += tap->weights[i] * *(const lanes_t *)from;
        }
        for (int band = 0; band < bands; band++) {
            to[band] = to_byte(sum[band]);
        }
    }
}

bool iimg_resample(const iimg_pixels_t *in, iimg_pixels_t *out)
{
    kernel_t across = { 0 }, down = { 0 };
    size_t samples = (size_t)in->width * (size_t)in->bands;
    float *row = NULL;
    bool made = make_kernel(&across, in->width, out->width)
                && make_kernel(&down, in->height, out->height);

    if (made) {
        row = calloc(samples + IIMG_RESAMPLE_BANDS, sizeof(*row));
        out->data = malloc((size_t)out->width * (size_t)out->height * (size_t)out->bands);
        made = row && out->data;
    }
    for (int y = 0; made && y < out->height; y++) {
        blend_rows(in, &down.taps[y], row);
        blend_columns(row, &across, out, y);
    }
    free(row);
    free(across.taps);
    free(across.weights);
    free(down.taps);
    free(down.weights);
    return made;
}
