/* spool.h - bytes too many for memory: a file without a name that ends with its pool. */
#ifndef IIMG_SPOOL_H
#define IIMG_SPOOL_H

#include <stdbool.h>
#include <apr_pools.h>

typedef struct iimg_spool_t {
    int fd;
    apr_size_t length;      /* bytes written so far */
    int error;              /* errno of the first write that failed, or 0 */
} iimg_spool_t;

/**
 * Make an empty file that no other process can open by name: it is gone when the pool is, or
 * when the process dies.
 * @param dir   on which file system; NULL: in memory that the kernel may swap
 * @param error errno when there is none
 * @return NULL when it could not be made
 */
iimg_spool_t *iimg_spool_create(apr_pool_t *pool, const char *dir, int *error);

/** Append. @return false when not all could be kept; spool->error says why */
bool iimg_spool_write(iimg_spool_t *spool, const void *data, apr_size_t length);

/** Read from any place, whole unless the end comes first. @return bytes read; 0 at the end */
apr_size_t iimg_spool_read(const iimg_spool_t *spool, apr_size_t offset, void *buffer,
                           apr_size_t size);

/**
 * All its bytes as memory, which the kernel reads in as they are looked at. Nothing may be written
 * afterwards. It ends with this pool, whenever the spool does.
 * @return NULL when it cannot be done
 */
const char *iimg_spool_map(apr_pool_t *pool, const iimg_spool_t *spool);

#endif
