/* libvips_alone.c - derivatives by libvips alone, for the comparison in tests/bench/run.
 *
 *   libvips-alone FILE QUALITY TIMES    prints the ms of CPU for each set of three derivatives
 *
 * Runs with VIPS_NOVECTOR, like the worker: its sandbox forbids code that is generated at run time.
 * When this is as fast as identityimg-worker, worker/jpeg.c and worker/resample.c can go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <vips/vips.h>

static _Noreturn void fail(void)
{
    fprintf(stderr, "libvips-alone: %s\n", vips_error_buffer());
    exit(1);
}

static double cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void save(VipsImage *image, int quality)
{
    void *jpeg;
    size_t length;

    if (vips_jpegsave_buffer(image, &jpeg, &length, "Q", quality, "optimize_coding", TRUE, "strip",
                             TRUE, NULL)
        != 0) {
        fail();
    }
    g_free(jpeg);
}

/* Decode once, and make each size from the next larger one, as the worker does. */
static void derive(void *data, size_t length, int quality)
{
    static const int boxes[] = { 300, 100 };
    VipsImage *shrunk, *image;

    if (vips_thumbnail_buffer(data, length, &shrunk, 600, "height", 600, "size", VIPS_SIZE_DOWN,
                              NULL)
            != 0
        || !(image = vips_image_copy_memory(shrunk))) {
        fail();
    }
    g_object_unref(shrunk);
    save(image, quality);
    for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        VipsImage *larger = image;

        if (vips_thumbnail_image(larger, &shrunk, boxes[i], "height", boxes[i], NULL) != 0
            || !(image = vips_image_copy_memory(shrunk))) {
            fail();
        }
        g_object_unref(shrunk);
        g_object_unref(larger);
        save(image, quality);
    }
    g_object_unref(image);
}

int main(int argc, char **argv)
{
    int times = argc == 4 ? atoi(argv[3]) : 0;
    gchar *data;
    gsize length;
    double before;

    if (times < 1) {
        fprintf(stderr, "usage: libvips-alone FILE QUALITY TIMES\n");
        return 2;
    }
    if (setenv("VIPS_NOVECTOR", "1", 1) != 0 || VIPS_INIT(argv[0]) != 0
        || !g_file_get_contents(argv[1], &data, &length, NULL)) {
        fail();
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    derive(data, length, atoi(argv[2]));
    before = cpu_ms();
    for (int i = 0; i < times; i++) {
        derive(data, length, atoi(argv[2]));
    }
    printf("%.2f\n", (cpu_ms() - before) / times);
    return 0;
}
