/* resample_test.c - worker/resample.c: compared with the formula, at edges, in all shapes. */
#include "worker/resample.h"

#include <math.h>
#include <stdlib.h>
#include "tap.h"

/* Exactly the required memory, so that sanitizers detect overruns. */
static iimg_pixels_t make(int width, int height, int bands)
{
    size_t size = (size_t)width * (size_t)height * (size_t)bands;
    iimg_pixels_t pixels = { malloc(size), width, height, bands };
    unsigned state = 20260101;

    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        pixels.data[i] = (unsigned char)(state >> 24);
    }
    return pixels;
}

static int sample(const iimg_pixels_t *pixels, int x, int y, int band)
{
    return pixels->data[((size_t)y * (size_t)pixels->width + (size_t)x) * (size_t)pixels->bands
                        + (size_t)band];
}

static double lanczos(double x)
{
    if (x == 0) {
        return 1;
    }
    return fabs(x) < 3 ? 3 * sin(M_PI * x) * sin(M_PI * x / 3) / (M_PI * M_PI * x * x) : 0;
}

/* A sample by the formula, in two dimensions. */
static double formula(const iimg_pixels_t *in, const iimg_pixels_t *out, int x, int y, int band)
{
    double across = (double)in->width / out->width, down = (double)in->height / out->height;
    double sum = 0, weights = 0;

    for (int j = 0; j < in->height; j++) {
        for (int i = 0; i < in->width; i++) {
            double weight = lanczos((i + 0.5 - (x + 0.5) * across) / across)
                            * lanczos((j + 0.5 - (y + 0.5) * down) / down);

            sum += weight * sample(in, i, j, band);
            weights += weight;
        }
    }
    sum /= weights;
    return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

/* The largest difference of any sample from the formula. */
static double worst(const iimg_pixels_t *in, const iimg_pixels_t *out)
{
    double most = 0;

    for (int y = 0; y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            for (int band = 0; band < in->bands; band++) {
                most = fmax(most, fabs(sample(out, x, y, band) - formula(in, out, x, y, band)));
            }
        }
    }
    return most;
}

static void test_shape(int width, int height, int bands, int to_width, int to_height)
{
    iimg_pixels_t in = make(width, height, bands);
    iimg_pixels_t out = { NULL, to_width, to_height, bands };
    bool made = iimg_resample(&in, &out);

    tap_ok(made && worst(&in, &out) < 0.51, "%d x %d of %d bands become %d x %d as in the formula",
           width, height, bands, to_width, to_height);
    free(in.data);
    free(out.data);
}

static void test_flat(void)
{
    iimg_pixels_t in = make(173, 91, 3), out = { NULL, 100, 53, 3 };
    int other = 0;

    memset(in.data, 201, 173 * 91 * 3);
    iimg_resample(&in, &out);
    for (int i = 0; i < 100 * 53 * 3; i++) {
        other += out.data[i] != 201;
    }
    tap_is_number(other, 0, "a uniform color does not change, up to the edges");
    free(in.data);
    free(out.data);
}

/* The kernel's lobes reach beyond black and white beside an edge. */
static void test_edge(void)
{
    iimg_pixels_t in = make(64, 4, 1), out = { NULL, 20, 2, 1 };
    int wrong = 0;

    for (int i = 0; i < 64 * 4; i++) {
        in.data[i] = i % 64 < 32 ? 0 : 255;
    }
    iimg_resample(&in, &out);
    for (int x = 0; x < 20; x++) {
        wrong += abs(sample(&out, x, 0, 0) - (x < 10 ? 0 : 255)) > 60;
    }
    tap_is_number(wrong, 0, "black and white beside an edge do not change");
    tap_is_number(sample(&out, 9, 0, 0) + sample(&out, 10, 0, 0), 255,
                  "the edge keeps its position");
    free(in.data);
    free(out.data);
}

int main(void)
{
    static const int shapes[][5] = {
        { 40, 30, 3, 20, 15 }, { 37, 23, 3, 31, 19 }, { 40, 30, 1, 7, 5 }, { 33, 31, 4, 11, 30 },
        { 29, 17, 2, 28, 16 }, { 12, 12, 3, 12, 12 }, { 1, 1, 3, 1, 1 },   { 1, 200, 3, 1, 9 },
        { 200, 1, 1, 9, 1 },   { 90, 70, 3, 1, 1 },   { 5, 3, 4, 4, 2 },   { 2, 2, 3, 1, 1 },
    };

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const int *s = shapes[i];

        test_shape(s[0], s[1], s[2], s[3], s[4]);
    }
    test_flat();
    test_edge();
    return tap_done();
}
