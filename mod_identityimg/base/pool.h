/* pool.h - pools with their own allocator, whose memory is freed at once. */
#ifndef IIMG_BASE_POOL_H
#define IIMG_BASE_POOL_H

#include <apr_pools.h>

/**
 * Create a pool that frees its memory when it is destroyed. An ordinary pool returns its blocks to
 * the allocator of its parent, which an httpd connection keeps until it closes.
 * @param parent destroys the pool at the latest; NULL: no parent, the pool may move between threads
 * @param kept   bytes that a cleared pool keeps
 * @return NULL when out of memory
 */
apr_pool_t *iimg_pool_create(apr_pool_t *parent, apr_size_t kept, const char *tag);

#endif
