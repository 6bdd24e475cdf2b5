/* pool.h - pools with memory of their own: what is destroyed goes back to the system at once. */
#ifndef IIMG_BASE_POOL_H
#define IIMG_BASE_POOL_H

#include <apr_pools.h>

/**
 * Make a pool whose memory its parent does not keep. A pool that is destroyed leaves its blocks to
 * the allocator of its parent, which a connection of httpd holds on to for as long as it lives.
 * @param parent destroys it at the latest; NULL: nobody else does, and it may pass from thread to
 * thread
 * @param kept   bytes that it may hold on to when it is cleared
 * @return NULL when there is no memory
 */
apr_pool_t *iimg_pool_create(apr_pool_t *parent, apr_size_t kept, const char *tag);

#endif
