/* spool.c - files without names for what is too large to be kept in memory. */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <apr_strings.h>

static apr_status_t close_file(void *data)
{
    close(((iimg_spool_t *)data)->fd);
    return APR_SUCCESS;
}

static int open_unnamed(apr_pool_t *pool, const char *dir)
{
    char *path;
    int fd;

    if (!dir) {
        return memfd_create("identityimg", MFD_CLOEXEC);
    }
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        return fd;
    }
    /* A file system that cannot: for a moment the file has a name. */
    path = apr_pstrcat(pool, dir, "/spool.XXXXXX", NULL);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

iimg_spool_t *iimg_spool_create(apr_pool_t *pool, const char *dir, int *error)
{
    iimg_spool_t *spool = apr_pcalloc(pool, sizeof(*spool));

    spool->fd = open_unnamed(pool, dir);
    if (spool->fd < 0) {
        *error = errno;
        return NULL;
    }
    apr_pool_cleanup_register(pool, spool, close_file, apr_pool_cleanup_null);
    return spool;
}

bool iimg_spool_write(iimg_spool_t *spool, const void *data, apr_size_t length)
{
    const char *from = data;

    while (length > 0) {
        ssize_t n = pwrite(spool->fd, from, length, (off_t)spool->length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            spool->error = n < 0 ? errno : ENOSPC;
            return false;
        }
        from += n;
        length -= (apr_size_t)n;
        spool->length += (apr_size_t)n;
    }
    return true;
}

apr_size_t iimg_spool_read(const iimg_spool_t *spool, apr_size_t offset, void *buffer,
                           apr_size_t size)
{
    apr_size_t got = 0;

    while (got < size) {
        ssize_t n = pread(spool->fd, (char *)buffer + got, size - got, (off_t)(offset + got));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        got += (apr_size_t)n;
    }
    return got;
}

typedef struct mapping_t {
    void *start;
    apr_size_t length;
} mapping_t;

static apr_status_t unmap(void *data)
{
    const mapping_t *mapping = data;

    munmap(mapping->start, mapping->length);
    return APR_SUCCESS;
}

const char *iimg_spool_map(apr_pool_t *pool, const iimg_spool_t *spool)
{
    mapping_t *mapping;
    void *start;

    if (spool->length == 0) {
        return "";
    }
    start = mmap(NULL, spool->length, PROT_READ, MAP_PRIVATE, spool->fd, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    mapping = apr_palloc(pool, sizeof(*mapping));
    mapping->start = start;
    mapping->length = spool->length;
    apr_pool_cleanup_register(pool, mapping, unmap, apr_pool_cleanup_null);
    return start;
}
