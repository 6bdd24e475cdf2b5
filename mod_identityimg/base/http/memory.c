/* memory.c - an allocator for libcurl: large buffers are pages that use memory once written to.
 *
 * A waiting request holds a receive buffer of 16 KB, libcurl's default for CURLOPT_BUFFERSIZE. From
 * malloc it is often memory that was used and freed before, so it counts as resident although it is
 * empty. Fresh pages are not resident until the response arrives, and return to the system when
 * they are freed. Thousands of requests wait in a child; each must cost less than 60 KB.
 *
 * libcurl calls these functions from any thread; the mutex guards the table of mappings. This file
 * can go if tests/t/park_soak.t stays below 60 KB per waiting request with CURLOPT_BUFFERSIZE and
 * CURLOPT_UPLOAD_BUFFERSIZE at their minimum (1 KB and 16 KB) and libcurl on malloc.
 */
#include "base/http/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS 1024
#define PAGE    4096 /* mappings start at multiples of it */

typedef struct pages_t {
    struct pages_t *next;
    void *start;
    size_t length;
} pages_t;

static pages_t *buckets[BUCKETS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards buckets */

static pages_t **bucket_of(const void *start)
{
    uintptr_t number = (uintptr_t)start / PAGE;

    return &buckets[(number ^ number / BUCKETS) % BUCKETS];
}

/* Map zeroed pages. Falls back to calloc when the process has too many mappings. */
static void *map_pages(size_t length)
{
    pages_t *pages = malloc(sizeof(*pages)), **bucket;

    if (!pages) {
        return calloc(1, length);
    }
    pages->length = length;
    pages->start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages->start == MAP_FAILED) {
        free(pages);
        return calloc(1, length);
    }
    bucket = bucket_of(pages->start);
    pthread_mutex_lock(&mutex);
    pages->next = *bucket;
    *bucket = pages;
    pthread_mutex_unlock(&mutex);
    return pages->start;
}

/* Find the mapping of a block. @return NULL for a block of malloc, which may start at a page, too
 */
static pages_t *find_pages(const void *block, int take)
{
    pages_t **link, *pages;

    if ((uintptr_t)block % PAGE != 0) {
        return NULL;
    }
    pthread_mutex_lock(&mutex);
    link = bucket_of(block);
    while (*link && (*link)->start != block) {
        link = &(*link)->next;
    }
    pages = *link;
    if (pages && take) {
        *link = pages->next;
    }
    pthread_mutex_unlock(&mutex);
    return pages;
}

void *iimg_http_memory_malloc(size_t size)
{
    return size < IIMG_HTTP_MEMORY_LARGE ? malloc(size) : map_pages(size);
}

void iimg_http_memory_free(void *block)
{
    pages_t *pages = block ? find_pages(block, 1) : NULL;

    if (!pages) {
        free(block);
        return;
    }
    munmap(pages->start, pages->length);
    free(pages);
}

void *iimg_http_memory_realloc(void *block, size_t size)
{
    pages_t *pages = block ? find_pages(block, 0) : NULL;
    void *other;

    if (!pages) {
        return realloc(block, size);
    }
    other = iimg_http_memory_malloc(size);
    if (other) {
        memcpy(other, block, pages->length < size ? pages->length : size);
        iimg_http_memory_free(block);
    }
    return other;
}

char *iimg_http_memory_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = iimg_http_memory_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void *iimg_http_memory_calloc(size_t count, size_t size)
{
    size_t whole;

    if (__builtin_mul_overflow(count, size, &whole)) {
        return NULL;
    }
    return whole < IIMG_HTTP_MEMORY_LARGE ? calloc(1, whole) : map_pages(whole);
}
