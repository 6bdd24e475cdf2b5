/* spool.h - bytes in memory up to a limit, then in an unnamed file. */
#ifndef IIMG_BASE_SPOOL_H
#define IIMG_BASE_SPOOL_H

#include <stdbool.h>
#include <apr_pools.h>

/*
 *   spool = iimg_spool_create(pool, dir, &error);
 *   iimg_spool_write(spool, data, length);     as often as data arrives
 *   iimg_spool_flush(spool);                   if the bytes must survive a power failure
 *   iimg_spool_keep(pool, spool, path);        if they must survive the process
 *   iimg_spool_read(...) or iimg_spool_map(...)
 */

/** Most bytes that a spool holds in memory. */
#define IIMG_SPOOL_MEMORY (64 * 1024)

typedef struct iimg_spool_t {
    const char *dir;   /* the directory of its file; NULL: memory that the kernel may swap */
    int fd;            /* the unnamed file; -1: none yet */
    char *memory;      /* from malloc: all bytes, until there is a file */
    apr_size_t room;   /* size of memory */
    apr_size_t length; /* bytes written so far */
    int error;         /* errno of the last write to a file, or 0 */
} iimg_spool_t;

/**
 * Create an empty spool. Its file has no name and is removed with the pool or the process.
 * @param dir   the directory of its file; NULL: memory that the kernel may swap
 * @param error errno when a file could not be created there
 * @return NULL on failure
 */
iimg_spool_t *iimg_spool_create(apr_pool_t *pool, const char *dir, int *error);

/** Move a spool to another pool. The old one must not be used afterwards. */
iimg_spool_t *iimg_spool_move(apr_pool_t *pool, iimg_spool_t *spool);

/** Append bytes. @return false on failure: see spool->error */
bool iimg_spool_write(iimg_spool_t *spool, const void *data, apr_size_t length);

/** Read at an offset, up to size bytes or the end. @return the number of bytes read */
apr_size_t iimg_spool_read(const iimg_spool_t *spool, apr_size_t offset, void *buffer,
                           apr_size_t size);

/**
 * Map all bytes, until the pool ends; the spool may end earlier. No bytes may be written
 * afterwards.
 * @return NULL on failure
 */
const char *iimg_spool_map(apr_pool_t *pool, const iimg_spool_t *spool);

/**
 * Give the file a name, so that it outlives this process. An existing file is replaced. Only
 * iimg_spool_flush protects it from a power failure.
 * @param path in the spool's directory
 * @return 0, or errno
 */
int iimg_spool_keep(apr_pool_t *pool, iimg_spool_t *spool, const char *path);

/**
 * Link the file into another directory of the same file system, without a copy. No bytes may be
 * written afterwards.
 * @return 0, or errno: the caller must copy the bytes
 */
int iimg_spool_link(apr_pool_t *pool, const iimg_spool_t *spool, const char *path);

/** Append all bytes to another file, through a small buffer. @return 0, or errno */
int iimg_spool_copy(const iimg_spool_t *spool, int fd);

/**
 * Open the file again, read-only, for another process. The caller closes the descriptor.
 * @return -1 when there is no file yet
 */
int iimg_spool_share(apr_pool_t *pool, const iimg_spool_t *spool);

/** Flush the file and its directory to the disk. @return 0, or errno */
int iimg_spool_flush(const iimg_spool_t *spool);

/** Open a kept file for reading. @param error errno on failure @return NULL on failure */
iimg_spool_t *iimg_spool_open(apr_pool_t *pool, const char *path, int *error);

#endif
