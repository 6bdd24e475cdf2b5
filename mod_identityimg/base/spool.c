/* spool.c - bytes in memory up to a limit, then in an unnamed file.
 *
 * A spool belongs to one thread at a time. It opens a file only when its bytes exceed
 * IIMG_SPOOL_MEMORY: thousands of requests have a spool at the same time, and most replies are
 * small. The file has no name, so a process that dies leaves nothing behind, until
 * iimg_spool_keep gives it a name that outlives the process.
 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/file.h"

#define FIRST_ROOM 4096

static apr_status_t free_spool(void *data)
{
    const iimg_spool_t *spool = data;

    if (spool->fd >= 0) {
        close(spool->fd);
    }
    free(spool->memory);
    return APR_SUCCESS;
}

/* Create a file with a temporary name. @param path set to the name */
static int open_named(const char *dir, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/spool.XXXXXX", dir);

    if (length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkostemp(path, O_CLOEXEC);
}

static int open_unnamed(const char *dir)
{
    char path[PATH_MAX];
    int fd;

    if (!dir) {
        return memfd_create("identityimg", MFD_CLOEXEC);
    }
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        return fd;
    }
    fd = open_named(dir, path); /* the file system has no O_TMPFILE */
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

static iimg_spool_t *create_spool(apr_pool_t *pool, const char *dir)
{
    iimg_spool_t *spool = apr_pcalloc(pool, sizeof(*spool));

    spool->dir = dir;
    spool->fd = -1;
    apr_pool_cleanup_register(pool, spool, free_spool, apr_pool_cleanup_null);
    return spool;
}

/* Check that a file could be created, without creating one. @return 0, or errno */
static int check_room(const char *dir)
{
    struct statvfs room;

    if (access(dir, W_OK | X_OK) != 0 || statvfs(dir, &room) != 0) {
        return errno;
    }
    /* A file system that does not count blocks or files reports 0 of both. */
    return (room.f_blocks > 0 && room.f_bavail == 0) || (room.f_files > 0 && room.f_favail == 0)
               ? ENOSPC
               : 0;
}

iimg_spool_t *iimg_spool_create(apr_pool_t *pool, const char *dir, int *error)
{
    /* Thousands of spools exist at the same time, and few need a descriptor. */
    *error = dir ? check_room(dir) : 0;
    return *error ? NULL : create_spool(pool, dir);
}

iimg_spool_t *iimg_spool_move(apr_pool_t *pool, iimg_spool_t *spool)
{
    iimg_spool_t *moved = create_spool(pool, spool->dir);

    *moved = *spool;
    spool->fd = -1;
    spool->memory = NULL;
    spool->room = spool->length = 0;
    return moved;
}

/* Writing ------------------------------------------------------------------------------------- */

static bool grow_memory(iimg_spool_t *spool, apr_size_t wanted)
{
    apr_size_t room = spool->room ? spool->room : FIRST_ROOM;
    char *memory;

    while (room < wanted) {
        room *= 2;
    }
    memory = room > spool->room ? realloc(spool->memory, room) : spool->memory;
    if (memory) {
        spool->memory = memory;
        spool->room = room;
    }
    return memory != NULL;
}

/* Move the bytes from memory to a file. @return 0, or errno */
static int move_to_file(iimg_spool_t *spool)
{
    int fd = open_unnamed(spool->dir), error;

    if (fd < 0) {
        return errno;
    }
    error = iimg_file_write_all(fd, spool->memory, spool->length);
    if (error) {
        close(fd);
        return error;
    }
    free(spool->memory);
    spool->memory = NULL;
    spool->room = 0;
    spool->fd = fd;
    return 0;
}

bool iimg_spool_write(iimg_spool_t *spool, const void *data, apr_size_t length)
{
    apr_size_t after = spool->length + length;

    if (spool->fd < 0 && after <= IIMG_SPOOL_MEMORY && grow_memory(spool, after)) {
        memcpy(spool->memory + spool->length, data, length);
        spool->length = after;
        return true;
    }
    spool->error = spool->fd < 0 ? move_to_file(spool) : 0;
    if (spool->error) {
        return false;
    }
    spool->error = iimg_file_write_all(spool->fd, data, length);
    if (spool->error) {
        (void)lseek(spool->fd, (off_t)spool->length, SEEK_SET); /* a retry overwrites the piece */
        return false;
    }
    spool->length += length;
    return true;
}

/* Reading ------------------------------------------------------------------------------------- */

static apr_size_t read_memory(const iimg_spool_t *spool, apr_size_t offset, void *buffer,
                              apr_size_t size)
{
    apr_size_t left = offset < spool->length ? spool->length - offset : 0;

    size = size < left ? size : left;
    if (size > 0) {
        memcpy(buffer, spool->memory + offset, size);
    }
    return size;
}

apr_size_t iimg_spool_read(const iimg_spool_t *spool, apr_size_t offset, void *buffer,
                           apr_size_t size)
{
    apr_size_t got = 0;

    if (spool->fd < 0) {
        return read_memory(spool, offset, buffer, size);
    }
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

const char *iimg_spool_map(apr_pool_t *pool, const iimg_spool_t *spool)
{
    if (spool->length == 0) {
        return "";
    }
    if (spool->fd < 0) {
        return apr_pmemdup(pool, spool->memory, spool->length);
    }
    return iimg_file_map(pool, spool->fd, spool->length, PROT_READ);
}

/* Naming ------------------------------------------------------------------------------------- */

int iimg_spool_copy(const iimg_spool_t *spool, int fd)
{
    char piece[32768];
    apr_size_t offset = 0, n;
    int error = 0;

    while (!error && (n = iimg_spool_read(spool, offset, piece, sizeof(piece))) > 0) {
        error = iimg_file_write_all(fd, piece, n);
        offset += n;
    }
    return !error && offset != spool->length ? EIO : error;
}

/* Copy to a named file, where the file system cannot link an unnamed one. @return 0, or errno */
static int copy_to_name(const iimg_spool_t *spool, const char *path)
{
    char temporary[PATH_MAX];
    int fd = open_named(spool->dir, temporary);
    int error = fd < 0 ? errno : iimg_spool_copy(spool, fd);

    if (!error && rename(temporary, path)) {
        error = errno;
    }
    if (error && fd >= 0) {
        unlink(temporary);
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

/* @return a path to the spool's file, which works without a name */
static const char *proc_path(apr_pool_t *pool, const iimg_spool_t *spool)
{
    return apr_psprintf(pool, "/proc/self/fd/%d", spool->fd);
}

int iimg_spool_link(apr_pool_t *pool, const iimg_spool_t *spool, const char *path)
{
    if (spool->fd < 0) {
        return EBADF;
    }
    return linkat(AT_FDCWD, proc_path(pool, spool), AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0
                                                                                            : errno;
}

int iimg_spool_keep(apr_pool_t *pool, iimg_spool_t *spool, const char *path)
{
    int error = spool->fd < 0 ? move_to_file(spool) : 0;

    if (error) {
        return error;
    }
    return iimg_spool_link(pool, spool, path) == 0 ? 0 : copy_to_name(spool, path);
}

int iimg_spool_share(apr_pool_t *pool, const iimg_spool_t *spool)
{
    return spool->fd < 0 ? -1 : open(proc_path(pool, spool), O_RDONLY | O_CLOEXEC);
}

int iimg_spool_flush(const iimg_spool_t *spool)
{
    int folder = spool->dir ? open(spool->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, error = 0;

    if (spool->fd >= 0 && fdatasync(spool->fd)) {
        error = errno;
    }
    if (folder >= 0) {
        if (fsync(folder) && !error) {
            error = errno;
        }
        close(folder);
    }
    return error;
}

iimg_spool_t *iimg_spool_open(apr_pool_t *pool, const char *path, int *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    iimg_spool_t *spool;
    struct stat info;

    if (fd < 0 || fstat(fd, &info)) {
        *error = errno;
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    spool = create_spool(pool, NULL);
    spool->fd = fd;
    spool->length = (apr_size_t)info.st_size;
    return spool;
}
