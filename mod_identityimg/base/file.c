/* file.c - open files: complete writes, closing with a pool, sealed files in memory, mappings. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNCHANGING (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int iimg_file_create_in_memory(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static apr_status_t close_descriptor(void *data)
{
    close((int)(intptr_t)data);
    return APR_SUCCESS;
}

void iimg_file_close_with(apr_pool_t *pool, int fd)
{
    apr_pool_cleanup_register(pool, (void *)(intptr_t)fd, close_descriptor, apr_pool_cleanup_null);
}

int iimg_file_write_all(int fd, const void *data, apr_size_t length)
{
    const char *from = data;

    while (length > 0) {
        ssize_t n = write(fd, from, length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : ENOSPC;
        }
        from += n;
        length -= (apr_size_t)n;
    }
    return 0;
}

int iimg_file_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, UNCHANGING | F_SEAL_SEAL) == 0 ? 0 : errno;
}

bool iimg_file_is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & UNCHANGING) == UNCHANGING;
}

typedef struct mapping_t {
    void *start;
    apr_size_t length;
} mapping_t;

static apr_status_t remove_mapping(void *data)
{
    const mapping_t *mapping = data;

    munmap(mapping->start, mapping->length);
    return APR_SUCCESS;
}

void *iimg_file_map(apr_pool_t *pool, int fd, apr_size_t length, int protection)
{
    void *start = mmap(NULL, length, protection, MAP_PRIVATE, fd, 0);
    mapping_t *mapping;

    if (start == MAP_FAILED) {
        return NULL;
    }
    mapping = apr_palloc(pool, sizeof(*mapping));
    *mapping = (mapping_t){ start, length };
    apr_pool_cleanup_register(pool, mapping, remove_mapping, apr_pool_cleanup_null);
    return start;
}

void iimg_file_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}
