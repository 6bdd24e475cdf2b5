/* memory.h - an allocator for libcurl: large buffers are pages that use memory once written to. */
#ifndef IIMG_BASE_HTTP_MEMORY_H
#define IIMG_BASE_HTTP_MEMORY_H

#include <stddef.h>

/** Blocks of this size or more are mapped. libcurl's buffers have at least 16 KB. */
#define IIMG_HTTP_MEMORY_LARGE 16384

/* Replacements of the C library's functions, for curl_global_init_mem. Thread-safe. */
void *iimg_http_memory_malloc(size_t size);
void iimg_http_memory_free(void *block);
void *iimg_http_memory_realloc(void *block, size_t size);
char *iimg_http_memory_strdup(const char *text);
void *iimg_http_memory_calloc(size_t count, size_t size);

#endif
