/*
 * metadata.c - apply the metadata filter to files, for tests.
 *
 *   metadata FILE OUT              print the properties of the picture or the error, and write OUT
 *   metadata --time ROUNDS FILE    print the milliseconds of a round of filtering and applying
 *   metadata --mutate ROUNDS SEED FILE ...
 *                                  filter ROUNDS damaged copies of each file, and check the results
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include "metadata_check.h"

typedef struct file_t {
    unsigned char *bytes;
    size_t length;
} file_t;

static file_t read_file(const char *path)
{
    file_t file = { NULL, 0 };
    FILE *stream = fopen(path, "rb");
    long length;

    if (!stream || fseek(stream, 0, SEEK_END) || (length = ftell(stream)) < 0) {
        perror(path);
        exit(2);
    }
    rewind(stream);
    file.length = (size_t)length;
    file.bytes = malloc(file.length ? file.length : 1);
    if (!file.bytes || fread(file.bytes, 1, file.length, stream) != file.length) {
        perror(path);
        exit(2);
    }
    fclose(stream);
    return file;
}

static void write_file(const char *path, const unsigned char *bytes, size_t length)
{
    FILE *stream = fopen(path, "wb");

    if (!stream || fwrite(bytes, 1, length, stream) != length || fclose(stream)) {
        perror(path);
        exit(2);
    }
}

static int filter_file(const char *from, const char *to)
{
    file_t file = read_file(from);
    filtered_t filtered;
    const char *broken = filter_picture(file.bytes, file.length, &filtered);

    broken = broken ? broken : check_picture(file.bytes, file.length);
    if (broken) {
        fprintf(stderr, "%s: not so: %s\n", from, broken);
        return 2;
    }
    if (filtered.wrong) {
        printf("malformed: %s\n", filtered.wrong);
        return 1;
    }
    printf("%ux%u orientation=%d progressive=%d icc=%llu length=%llu steps=%d\n",
           filtered.facts.width, filtered.facts.height, filtered.facts.orientation,
           filtered.facts.progressive, (unsigned long long)filtered.facts.icc_length,
           (unsigned long long)filtered.length, filtered.facts.edit.count);
    write_file(to, filtered.bytes, filtered.length);
    free(filtered.bytes);
    free(file.bytes);
    return 0;
}

static int time_file(int rounds, const char *path)
{
    file_t file = read_file(path);
    struct timespec from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < rounds; i++) {
        filtered_t filtered;

        filter_picture(file.bytes, file.length, &filtered);
        free(filtered.bytes);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    printf("%.3f ms for %.2f MB\n",
           ((double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6)
               / rounds,
           (double)file.length / 1e6);
    free(file.bytes);
    return 0;
}

static uint64_t state;

static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit ? (size_t)(state % limit) : 0;
}

/* Most damage is near the front, where containers have their structure. */
static file_t damaged_copy(const file_t *file)
{
    static const unsigned char strange[] = { 0, 1, 0x7f, 0x80, 0xff };
    file_t copy = { NULL, below(3) ? file->length : below(file->length + 1) };

    copy.bytes = malloc(copy.length ? copy.length : 1);
    if (!copy.bytes) {
        abort();
    }
    memcpy(copy.bytes, file->bytes, copy.length);
    for (size_t i = below(8); i > 0 && copy.length > 0; i--) {
        size_t reach = below(2) && copy.length > 1024 ? 1024 : copy.length;
        unsigned char *at = copy.bytes + below(reach);

        *at = below(2) ? (unsigned char)below(256) : strange[below(sizeof(strange))];
    }
    return copy;
}

static int mutate_file(int rounds, const char *path)
{
    file_t file = read_file(path);

    for (int i = 0; i < rounds; i++) {
        file_t copy = damaged_copy(&file);
        const char *broken = check_picture(copy.bytes, copy.length);

        if (broken) {
            fprintf(stderr, "%s: round %d: failed: %s\n", path, i, broken);
            write_file("damaged", copy.bytes, copy.length);
            return 1;
        }
        free(copy.bytes);
    }
    free(file.bytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 4 && strcmp(argv[1], "--mutate") == 0) {
        state = strtoull(argv[3], NULL, 10) * 2654435761u + 88172645463325252u;
        for (int i = 4; i < argc; i++) {
            if (mutate_file(atoi(argv[2]), argv[i])) {
                return 1;
            }
        }
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "--time") == 0) {
        return time_file(atoi(argv[2]), argv[3]);
    }
    if (argc == 3) {
        return filter_file(argv[1], argv[2]);
    }
    fprintf(stderr, "usage: metadata FILE OUT\n");
    return 2;
}
