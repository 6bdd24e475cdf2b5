/* private_file.h - read small files, with a check of permissions for secrets. */
#ifndef IIMG_BASE_PRIVATE_FILE_H
#define IIMG_BASE_PRIVATE_FILE_H

#include <apr_pools.h>

/**
 * Read a file of less than 4 kB that only its owner can read.
 * @param text its content, allocated from pool
 * @return NULL, or the problem: a clause that follows the name of the file
 */
const char *iimg_private_file_read(apr_pool_t *pool, const char *path, const char **text);

/** Read a file that other users may be able to read, too. */
const char *iimg_public_file_read(apr_pool_t *pool, const char *path, const char **text);

#endif
