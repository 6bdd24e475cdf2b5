/* file.c - storage driver "file": a directory. Reading, deleting, checks. */
#include "services/storage/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "base/uuid.h"

const char *iimg_file_unfinished(apr_pool_t *pool, const char *path)
{
    return apr_pstrcat(pool, path, "~", NULL);
}

int iimg_file_sync_directory(const char *directory)
{
    int code = IIMG_FAULT("file.syncdir");
    int fd = code == 0 ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0) {
        return code ? code : errno;
    }
    if (fsync(fd) != 0) {
        code = errno;
    }
    close(fd);
    return code;
}

/* Reading ------------------------------------------------------------------------------------- */

static iimg_error_t *read_bytes(iimg_context_t *context, int fd, const char *path, apr_size_t size,
                                char *data)
{
    apr_size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return iimg_file_error(context, "reading", path, n < 0 ? errno : EIO);
        }
        done += (apr_size_t)n;
    }
    return NULL;
}

static iimg_error_t *read_open(iimg_context_t *context, int fd, const char *path, apr_size_t max,
                               const char **data, apr_size_t *length)
{
    struct stat info;
    char *bytes;

    if (fstat(fd, &info) != 0) {
        return iimg_file_error(context, "stat", path, errno);
    }
    if ((apr_size_t)info.st_size > max) {
        return iimg_error_detail(
            iimg_error(context->pool, IIMG_TOO_LARGE, "The stored picture is larger than allowed."),
            "%s has %ld bytes", path, (long)info.st_size);
    }
    bytes = apr_palloc(context->pool, (apr_size_t)info.st_size + 1);
    bytes[info.st_size] = '\0';
    *data = bytes;
    *length = (apr_size_t)info.st_size;
    return read_bytes(context, fd, path, *length, bytes);
}

iimg_error_t *iimg_file_read(iimg_context_t *context, const char *path, apr_size_t max,
                             const char **data, apr_size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    iimg_error_t *err;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return iimg_error_with_detail(context->pool, IIMG_NOT_FOUND, NULL, "Not found.",
                                      "%s is missing", path);
    }
    if (fd < 0) {
        return iimg_file_error(context, "opening", path, errno);
    }
    err = read_open(context, fd, path, max, data, length);
    close(fd);
    return err;
}

static iimg_error_t *file_get(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, apr_size_t max, const char **data,
                              apr_size_t *length)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err = iimg_file_read(context, iimg_file_path(context->pool, storage, key), max,
                                       data, length);

    if (err) {
        return err;
    }
    iimg_step_end(context, began, "store get", key);
    return NULL;
}

/* Deleting ------------------------------------------------------------------------------------ */

/* Remove the directories that are named by the uuid, if empty. The fan-out directories stay.
 * @return 0 or errno */
static int remove_empty_parents(apr_pool_t *pool, const char *path)
{
    char *copy = apr_pstrdup(pool, path);

    (void)IIMG_FAULT("file.rmdir");
    for (;;) {
        char *slash = strrchr(copy, '/');
        char *name;

        *slash = '\0';
        name = strrchr(copy, '/') + 1;
        if (strcmp(name, "__sized__") != 0 && strlen(name) != IIMG_UUID_LENGTH) {
            return 0;
        }
        if (rmdir(copy) != 0 && errno != ENOENT) {
            return errno == ENOTEMPTY || errno == EEXIST ? 0 : errno;
        }
    }
}

static int remove_file(const char *path)
{
    int code = IIMG_FAULT("file.unlink");

    if (code == 0 && unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
        code = errno;
    }
    (void)IIMG_FAULT("file.unlinked");
    return code;
}

static iimg_error_t *file_remove(iimg_context_t *context, const iimg_storage_t *storage,
                                 const char *key, bool again)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = iimg_file_path(context->pool, storage, key);
    int code = remove_file(path);

    (void)again;
    if (code == 0) {
        code = remove_file(iimg_file_unfinished(context->pool, path));
    }
    if (code == 0) {
        code = remove_empty_parents(context->pool, path);
    }
    iimg_step_end(context, began, "store remove", key);
    return code ? iimg_file_error(context, "deleting", path, code) : NULL;
}

/* @return the innermost existing directory above a file: its sync makes the removal durable */
static const char *find_directory(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    char *copy = apr_pstrdup(pool, path);

    do {
        *strrchr(copy, '/') = '\0';
    } while (strcmp(copy, storage->root) != 0 && access(copy, F_OK) != 0);
    return copy;
}

/* @param synced the last synced directory, often that of the next file @return 0 or errno */
static int sync_removal(apr_pool_t *pool, const iimg_storage_t *storage, const char *path,
                        const char **synced)
{
    const char *directory = find_directory(pool, storage, path);
    int code = 0;

    if (!*synced || strcmp(*synced, directory) != 0) {
        *synced = directory;
        code = iimg_file_sync_directory(directory);
    }
    /* Another process may have removed the directory meanwhile. */
    return code == ENOENT && strcmp(directory, storage->root) != 0
               ? sync_removal(pool, storage, path, synced)
               : code;
}

static iimg_error_t *file_settle(iimg_context_t *context, const iimg_storage_t *storage,
                                 const apr_array_header_t *keys)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = storage->root, *synced = NULL;
    int code = 0;

    for (int i = 0; i < keys->nelts && code == 0; i++) {
        path = iimg_file_path(context->pool, storage, APR_ARRAY_IDX(keys, i, const char *));
        code = sync_removal(context->pool, storage, path, &synced);
    }
    iimg_step_end(context, began, "store settle", NULL);
    return code ? iimg_file_error(context, "deleting", path, code) : NULL;
}

static iimg_error_t *file_purge(iimg_context_t *context, const iimg_storage_t *storage,
                                const char *key, const char *version)
{
    apr_array_header_t *keys = apr_array_make(context->pool, 1, sizeof(const char *));
    iimg_error_t *err = file_remove(context, storage, key, false);

    (void)version;
    if (err) {
        return err;
    }
    APR_ARRAY_PUSH(keys, const char *) = key;
    return file_settle(context, storage, keys);
}

static iimg_error_t *file_has(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, bool *there)
{
    const char *path = iimg_file_path(context->pool, storage, key);
    struct stat info;

    if (lstat(path, &info) == 0) {
        *there = S_ISREG(info.st_mode);
        return NULL;
    }
    *there = false;
    return errno == ENOENT || errno == ENOTDIR ? NULL
                                               : iimg_file_error(context, "stat", path, errno);
}

/* The directory -------------------------------------------------------------------------------- */

static const char *file_check(apr_pool_t *pool, const iimg_storage_t *storage)
{
    struct stat info;

    if (!storage->root) {
        return "IdentityImgStorageRoot: the storage \"file\" needs a directory";
    }
    if (storage->root[0] != '/') {
        return apr_psprintf(pool, "IdentityImgStorageRoot: \"%s\" is not an absolute path",
                            storage->root);
    }
    if (stat(storage->root, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return apr_psprintf(pool, "IdentityImgStorageRoot: \"%s\" is not a directory",
                            storage->root);
    }
    return NULL;
}

static const char *file_ready(iimg_context_t *context, const iimg_storage_t *storage)
{
    struct statvfs space;

    if (access(storage->root, R_OK | W_OK | X_OK) != 0 || statvfs(storage->root, &space) != 0) {
        return apr_psprintf(context->pool, "%s: %s", storage->root, strerror(errno));
    }
    if (space.f_bavail == 0) {
        return apr_psprintf(context->pool, "%s: %s", storage->root, strerror(ENOSPC));
    }
    return NULL;
}

const iimg_storage_driver_t iimg_storage_file = {
    .name = "file",
    .check = file_check,
    .ready = file_ready,
    .put = iimg_file_put,
    .get = file_get,
    .has = file_has,
    .remove = file_remove,
    .settle = file_settle,
    .list = iimg_file_list,
    .list_latest = iimg_file_list,
    .purge = file_purge,
    .read_marker = iimg_file_read_marker,
    .write_marker = iimg_file_write_marker,
    .path = iimg_file_path,
};
