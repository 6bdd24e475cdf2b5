/* private_file.h - small files with secrets, for their owner alone; and some of others. */
#ifndef IIMG_BASE_PRIVATE_FILE_H
#define IIMG_BASE_PRIVATE_FILE_H

#include <apr_pools.h>

/**
 * Read a file of less than 4 kB.
 * @param text its content, allocated from pool
 * @return NULL, or what is wrong: a clause that follows the file's name
 */
const char *iimg_private_file_read(apr_pool_t *pool, const char *path, const char **text);

/** As above, for a file that somebody else keeps: others may be able to read it. */
const char *iimg_public_file_read(apr_pool_t *pool, const char *path, const char **text);

#endif
