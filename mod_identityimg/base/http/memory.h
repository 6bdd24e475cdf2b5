/* memory.h - libcurl's memory: its large buffers are pages that the system gives when they are
 * written to. For base/http/http.c alone. */
#ifndef IIMG_BASE_HTTP_MEMORY_H
#define IIMG_BASE_HTTP_MEMORY_H

#include <stddef.h>

/** Bytes from which on a block is pages of its own. libcurl's buffers have 16 KB and more. */
#define IIMG_HTTP_MEMORY_LARGE 16384

/* As those of the C library, for curl_global_init_mem; from any thread. */
void *iimg_http_memory_malloc(size_t size);
void iimg_http_memory_free(void *block);
void *iimg_http_memory_realloc(void *block, size_t size);
char *iimg_http_memory_strdup(const char *text);
void *iimg_http_memory_calloc(size_t count, size_t size);

#endif
