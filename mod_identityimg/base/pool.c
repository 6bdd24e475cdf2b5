/* pool.c - pools with their own allocator, whose memory is freed at once. */
#include "base/pool.h"

#include <apr_allocator.h>

apr_pool_t *iimg_pool_create(apr_pool_t *parent, apr_size_t kept, const char *tag)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    apr_status_t rv;

    if (apr_allocator_create(&allocator) != APR_SUCCESS) {
        return NULL;
    }
    apr_allocator_max_free_set(allocator, kept ? kept : 1); /* 0 means no limit */
    rv = parent ? apr_pool_create_ex(&pool, parent, NULL, allocator)
                : apr_pool_create_unmanaged_ex(&pool, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, tag);
    return pool;
}
