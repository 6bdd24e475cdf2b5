/*
 * pipeline.c - send pictures to identityimg-worker like httpd, without httpd, for benchmarks.
 *
 *   pipeline WORKER ONCE THREADS SECONDS FILE ...
 *       Each thread sends the files in turn; the worker runs ONCE pictures at a time. Measures for
 *       SECONDS, after a quarter of that time. Prints the number of pictures, the seconds, the
 *       worker's ms of CPU for each picture, and the ms that each picture took.
 *   pipeline WORKER PREFIX FILE
 *       Writes the derivatives, PREFIX-0.jpg (100 pixels) to PREFIX-2.jpg, and the reference for
 * the provider, PREFIX-reference.jpg.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/log.h"
#include "services/pictures/image.h"

#define MAX_THREADS 64
#define MAX_TIMES   100000

typedef struct file_t {
    char *bytes;
    size_t length;
} file_t;

typedef struct client_t {
    pthread_t thread;
    const iimg_image_settings_t *settings;
    const file_t *files;
    int file_count, first;
    double until;
    double *times; /* ms of each picture */
    double *ends;  /* times of completion */
    int count;
    char problem[256]; /* "": none */
} client_t;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "pipeline: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static file_t read_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    file_t file = { NULL, 0 };

    if (!stream || fseek(stream, 0, SEEK_END) != 0) {
        fail(path);
    }
    file.length = (size_t)ftell(stream);
    file.bytes = malloc(file.length + 1);
    rewind(stream);
    if (fread(file.bytes, 1, file.length, stream) != file.length) {
        fail(path);
    }
    fclose(stream);
    return file;
}

static bool is_logged(void *baton, iimg_log_level_t level)
{
    (void)baton, (void)level;
    return false;
}

static void write_log(void *baton, const char *file, int line, iimg_log_level_t level,
                      const char *text)
{
    (void)baton, (void)file, (void)line, (void)level, (void)text;
}

/* The worker ---------------------------------------------------------------------------------- */

static pid_t start_worker(const char *program, int at_once, iimg_image_settings_t *settings)
{
    iimg_worker_start_t start = { .program = program,
                                  .workers = at_once,
                                  .user = getuid() == 0 ? 65534 : -1,
                                  .group = getuid() == 0 ? 65534 : -1 };
    int ends[2];
    pid_t pid;

    if (!iimg_picture_worker_pair(ends)) {
        fail("no sockets");
    }
    start.socket = ends[1];
    pid = iimg_picture_worker_start(&start);
    if (pid < 0) {
        fail("no worker");
    }
    close(ends[1]);
    *settings = (iimg_image_settings_t){
        .worker = { .socket = ends[0], .wait = 60000, .deadline = 15000 },
        .limits = { 64000000, 120000000 },
        .derivative_format = IIMG_FORMAT_JPEG,
        .derivative_quality = 80,
    };
    return pid;
}

/* @return the seconds of CPU of the worker and its processes */
static double cpu_of(pid_t pid)
{
    unsigned long times[4];
    char path[64], line[1024];
    const char *end;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    stream = fopen(path, "r");
    if (!stream || !fgets(line, sizeof(line), stream)) {
        fail(path);
    }
    fclose(stream);
    end = strrchr(line, ')');
    if (!end
        || sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &times[0],
                  &times[1], &times[2], &times[3])
               != 4) {
        fail(line);
    }
    return (double)(times[0] + times[1] + times[2] + times[3]) / (double)sysconf(_SC_CLK_TCK);
}

/* Clients ------------------------------------------------------------------------------------- */

static iimg_context_t *make_context(apr_pool_t *pool)
{
    static const iimg_log_sink_t sink = { is_logged, write_log, NULL };
    iimg_context_t *context = apr_pcalloc(pool, sizeof(*context));

    context->pool = pool;
    context->request_id = "pipeline";
    context->log = &sink;
    return context;
}

static iimg_error_t *derive(apr_pool_t *pool, const iimg_image_settings_t *settings,
                            const file_t *file, iimg_derived_t **derived)
{
    iimg_bytes_t bytes = { file->bytes, file->length, -1, 0 };

    return iimg_image_derive(make_context(pool), settings, &bytes, derived);
}

static void *be_client(void *baton)
{
    client_t *client = baton;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    while (client->count < MAX_TIMES && (client->count == 0 || now() < client->until)) {
        int which = (client->first + client->count) % client->file_count;
        iimg_derived_t *derived;
        double began = now();
        iimg_error_t *err = derive(pool, client->settings, &client->files[which], &derived);

        if (err && err->kind != IIMG_INVALID && err->kind != IIMG_TOO_LARGE) {
            snprintf(client->problem, sizeof(client->problem), "%s", err->message);
            break;
        }
        client->ends[client->count] = now();
        client->times[client->count] = (client->ends[client->count] - began) * 1e3;
        client->count++;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void run_clients(client_t *clients, int count, double seconds)
{
    double until = now() + seconds;

    for (int i = 0; i < count; i++) {
        clients[i].until = until;
        clients[i].first = i;
        clients[i].times = malloc(MAX_TIMES * sizeof(double));
        clients[i].ends = malloc(MAX_TIMES * sizeof(double));
        pthread_create(&clients[i].thread, NULL, be_client, &clients[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        if (clients[i].problem[0]) {
            fail(clients[i].problem);
        }
    }
}

/* Count pictures that were completed in a period. */
static int count_between(const client_t *clients, int count, double from, double to)
{
    int sum = 0;

    for (int i = 0; i < count; i++) {
        for (int n = 0; n < clients[i].count; n++) {
            sum += clients[i].ends[n] >= from && clients[i].ends[n] < to;
        }
    }
    return sum;
}

static void measure(pid_t worker, client_t *clients, int count, double seconds)
{
    double cpu = cpu_of(worker), from = now() + seconds / 4;

    run_clients(clients, count, seconds * 5 / 4);
    printf("%d %.3f %.2f", count_between(clients, count, from, from + seconds), seconds,
           (cpu_of(worker) - cpu) * 1e3 / count_between(clients, count, 0, HUGE_VAL));
    for (int i = 0; i < count; i++) {
        for (int n = 0; n < clients[i].count; n++) {
            printf(" %.1f", clients[i].times[n]);
        }
    }
    printf("\n");
}

static void write_file(const char *path, const iimg_derivative_t *picture)
{
    FILE *stream = fopen(path, "wb");

    if (!stream || fwrite(picture->data, 1, picture->length, stream) != picture->length
        || fclose(stream) != 0) {
        fail(path);
    }
}

static void write_derivatives(apr_pool_t *pool, const iimg_image_settings_t *settings,
                              const char *prefix, const file_t *file)
{
    enum {
        SIDE = 2048
    };
    iimg_bytes_t bytes = { file->bytes, file->length, -1, 0 };
    iimg_derivative_t reference;
    iimg_derived_t *derived;
    iimg_error_t *err = derive(pool, settings, file, &derived);

    if (!err) {
        err = iimg_image_reference(make_context(pool), settings, &bytes, SIDE, &reference);
    }
    if (err) {
        fail(err->message);
    }
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        write_file(apr_psprintf(pool, "%s-%d.jpg", prefix, i), &derived->derivatives[i]);
    }
    write_file(apr_psprintf(pool, "%s-reference.jpg", prefix), &reference);
}

int main(int argc, char **argv)
{
    static client_t clients[MAX_THREADS];
    iimg_image_settings_t settings;
    file_t files[16];
    int threads = argc > 4 ? atoi(argv[3]) : 0;
    apr_pool_t *pool;
    pid_t worker;

    if (argc < 4 || argc > 5 + 16 || threads > MAX_THREADS) {
        fail("usage: pipeline WORKER ONCE THREADS SECONDS FILE ... | WORKER PREFIX FILE");
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    worker = start_worker(argv[1], argc > 4 ? atoi(argv[2]) : 1, &settings);
    for (int i = argc > 4 ? 5 : 3; i < argc; i++) {
        files[i - (argc > 4 ? 5 : 3)] = read_file(argv[i]);
    }
    if (argc == 4) {
        write_derivatives(pool, &settings, argv[2], &files[0]);
        return 0;
    }
    for (int i = 0; i < threads; i++) {
        clients[i].settings = &settings;
        clients[i].files = files;
        clients[i].file_count = argc - 5;
    }
    run_clients(clients, 1, 0); /* until the worker is ready */
    clients[0].count = 0;
    measure(worker, clients, threads, atof(argv[4]));
    close(settings.worker.socket);
    waitpid(worker, NULL, 0);
    return 0;
}
