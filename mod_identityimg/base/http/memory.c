/* memory.c - libcurl's memory: its large buffers are pages that the system gives when they are
 * written to.
 *
 * A request that waits for its answer has a buffer to receive it in, 16 KB that nothing has been
 * written to. From malloc it would be memory that others have used and freed, such as the buffer
 * that the request was sent from. Pages cost nothing until then, and go back to the system when
 * they are freed.
 */
#include "base/http/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS 1024
#define PAGE    4096 /* at least: what mmap gives begins at a multiple of it */

typedef struct pages_t {
    struct pages_t *next;
    void *start;
    size_t length;
} pages_t;

static pages_t *buckets[BUCKETS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards them */

static pages_t **bucket_of(const void *start)
{
    uintptr_t number = (uintptr_t)start / PAGE;

    return &buckets[(number ^ number / BUCKETS) % BUCKETS];
}

/* @return zeroes; from malloc's where the system has no place for one more mapping */
static void *map(size_t length)
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

/* A block of malloc's may begin at a page, too. @return NULL: it is one of those */
static pages_t *find(const void *block, int take)
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
    return size < IIMG_HTTP_MEMORY_LARGE ? malloc(size) : map(size);
}

void iimg_http_memory_free(void *block)
{
    pages_t *pages = block ? find(block, 1) : NULL;

    if (!pages) {
        free(block);
        return;
    }
    munmap(pages->start, pages->length);
    free(pages);
}

void *iimg_http_memory_realloc(void *block, size_t size)
{
    pages_t *pages = block ? find(block, 0) : NULL;
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
    return whole < IIMG_HTTP_MEMORY_LARGE ? calloc(1, whole) : map(whole);
}
