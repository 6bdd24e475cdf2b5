/* memory_test.c - blocks large and small, and that nothing is behind a large one until it is
 * written to. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/http/memory.h"
#include "tap.h"

#define LARGE (16 * IIMG_HTTP_MEMORY_LARGE)

/* @return how many pages of a block are memory; -1: there are none */
static int resident(void *block, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char pages[LARGE / 4096];
    int count = 0;

    if (mincore(block, length, pages) != 0) {
        return -1;
    }
    for (size_t i = 0; i < length / page; i++) {
        count += pages[i] & 1;
    }
    return count;
}

static void test_large(void)
{
    char *block = iimg_http_memory_malloc(LARGE);

    if (!tap_ok(block != NULL, "there is a large block")) {
        return;
    }
    tap_is_number(resident(block, LARGE), 0, "a large block has no pages in memory");
    memset(block, 'x', 5);
    tap_is_number(resident(block, LARGE), 1, "a page is in memory after a write");
    iimg_http_memory_free(block);
    tap_is_number(resident(block, LARGE), -1, "a freed block is unmapped");
    block = iimg_http_memory_calloc(LARGE, 2);
    tap_ok(block && block[0] == 0 && block[2 * LARGE - 1] == 0, "calloc gives zeros");
    iimg_http_memory_free(block);
}

static void test_realloc(void)
{
    char *block = iimg_http_memory_realloc(NULL, 10);
    bool whole = true;

    strcpy(block, "beginning");
    for (size_t size = 100; size <= LARGE; size *= 3) {
        block = iimg_http_memory_realloc(block, size);
        whole = whole && block && strcmp(block, "beginning") == 0;
        memset(block + 10, 'x', size - 10);
    }
    tap_ok(whole, "a block that grows keeps its bytes");
    block = iimg_http_memory_realloc(block, 100);
    tap_ok(block && memcmp(block, "beginning\0xxx", 13) == 0,
           "a block that shrinks keeps its bytes");
    block = iimg_http_memory_realloc(block, LARGE);
    tap_ok(block && memcmp(block, "beginning\0xxx", 13) == 0,
           "a small block that grows keeps its bytes");
    iimg_http_memory_free(block);
}

/* A block of malloc may start at a page, too. */
static void test_aligned(void)
{
    char *block = aligned_alloc(4096, 8192);

    strcpy(block, "aligned");
    block = iimg_http_memory_realloc(block, 12000);
    tap_is(block, "aligned", "a block of malloc that starts at a page is not a mapping");
    iimg_http_memory_free(block);
    iimg_http_memory_free(aligned_alloc(4096, 4096));
    iimg_http_memory_free(NULL);
    tap_ok(true, "and is freed, as nothing is");
}

static void test_many(void)
{
    enum {
        COUNT = 5000
    };
    static char *blocks[COUNT];
    bool whole = true;

    for (int i = 0; i < COUNT; i++) {
        blocks[i] = iimg_http_memory_malloc(IIMG_HTTP_MEMORY_LARGE);
        if (blocks[i]) {
            memcpy(blocks[i], &i, sizeof(i));
        }
    }
    for (int i = 0; i < COUNT; i++) {
        whole = whole && blocks[i] && memcmp(blocks[i], &i, sizeof(i)) == 0;
        iimg_http_memory_free(blocks[i]);
    }
    tap_ok(whole, "thousands of blocks are distinguished");
}

int main(void)
{
    char *text = iimg_http_memory_strdup("text"), *long_text = malloc(LARGE);

    tap_is(text, "text", "a text is copied");
    iimg_http_memory_free(text);
    memset(long_text, 'x', LARGE);
    long_text[LARGE - 1] = '\0';
    text = iimg_http_memory_strdup(long_text);
    tap_is(text, long_text, "a long text is copied");
    iimg_http_memory_free(text);
    free(long_text);
    tap_ok(!iimg_http_memory_calloc(SIZE_MAX / 2, 4), "a size that overflows is refused");
    test_large();
    test_realloc();
    test_aligned();
    test_many();
    return tap_done();
}
