/* spool.h - bytes too many for memory: the first stay there, all go to a file once there are more.
 */
#ifndef IIMG_BASE_SPOOL_H
#define IIMG_BASE_SPOOL_H

#include <stdbool.h>
#include <apr_pools.h>

/** Most bytes that a spool keeps in memory. */
#define IIMG_SPOOL_MEMORY (64 * 1024)

typedef struct iimg_spool_t {
    const char *dir;   /* where its file is made; NULL: memory that the kernel may swap */
    int fd;            /* its file, of no name; -1: none yet */
    char *memory;      /* from malloc: all there is, as long as there is no file */
    apr_size_t room;   /* bytes in memory */
    apr_size_t length; /* bytes written so far */
    int error;         /* errno of the first write that failed, or 0 */
} iimg_spool_t;

/**
 * Make an empty spool. Its file cannot be opened by name: it is gone when the pool is, or when
 * the process dies.
 * @param dir   on which file system; NULL: in memory that the kernel may swap
 * @param error errno when there could be no file
 * @return NULL when it could not be made
 */
iimg_spool_t *iimg_spool_create(apr_pool_t *pool, const char *dir, int *error);

/** The same spool in another pool; the one that was given is empty afterwards, and not to be used.
 */
iimg_spool_t *iimg_spool_move(apr_pool_t *pool, iimg_spool_t *spool);

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

/**
 * Give it a name, under which it outlives this process; the file of that name, if there is one, is
 * replaced. It is not safe from a power failure before iimg_spool_flush.
 * @param path below the spool's dir
 * @return 0, or errno
 */
int iimg_spool_keep(apr_pool_t *pool, iimg_spool_t *spool, const char *path);

/**
 * Give its file a name in another directory of the same file system: nothing is copied. Nothing may
 * be written afterwards.
 * @return 0, or errno: it cannot be done, or not any more, and its bytes have to be copied
 */
int iimg_spool_link(apr_pool_t *pool, const iimg_spool_t *spool, const char *path);

/** Write its bytes to a file, from the file's beginning, through a small buffer. @return 0, or
 * errno */
int iimg_spool_copy(const iimg_spool_t *spool, int fd);

/**
 * A descriptor that reads its file and cannot write to it, for another process. The caller closes
 * it.
 * @return -1: there is none, as what is in memory has no file
 */
int iimg_spool_share(apr_pool_t *pool, const iimg_spool_t *spool);

/** Wait until what was written cannot be lost by a power failure. @return 0, or errno */
int iimg_spool_flush(const iimg_spool_t *spool);

/** Open one that was kept, to be read. @param error errno when there is none @return NULL then */
iimg_spool_t *iimg_spool_open(apr_pool_t *pool, const char *path, int *error);

#endif
