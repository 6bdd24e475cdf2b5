/* storage_file.c - storage method based on one directory: write, fsync, rename. */
#include "services/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/uuid.h"
#include "services/picture_key.h"

/* <root>/media/ab/cd/<uuid>/..., <root>/generated_images/ab/cd/<uuid>.png: two levels by the
 * first digits of the uuid, so that no directory grows large. */
static const char *file_path(apr_pool_t *pool, const iimg_storage_t *storage, const char *key)
{
    const char *uuid = strchr(key, '/') + 1;

    return apr_psprintf(pool, "%s/%.*s%.2s/%.2s/%s", storage->root, (int)(uuid - key), key, uuid,
                        uuid + 2, uuid);
}

static iimg_error_t *trouble(iimg_context_t *context, const char *what, const char *path, int code)
{
    const char *sentence = code == ENOSPC || code == EDQUOT
        ? "The picture store is full. Nothing was changed."
        : "The picture store is not available at the moment. Nothing was changed.";
    iimg_error_t *err = iimg_error_code(
        iimg_error(context->pool, IIMG_UNAVAILABLE, "%s", sentence), "store_down");

    return iimg_error_detail(err, "%s %s: %s", what, path, strerror(code));
}

/* Makes a directory's entries durable: the rename itself is only then on disk. */
static int sync_directory(apr_pool_t *pool, const char *path)
{
    const char *directory = apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = 0;

    if (fd < 0) {
        return errno;
    }
    if (fsync(fd) != 0) {
        code = errno;
    }
    close(fd);
    return code;
}

/* Makes the directories above path that are missing. @return 0 or errno */
static int make_parents(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    char *copy = apr_pstrdup(pool, path);
    int code = 0;

    for (char *slash = strchr(copy + strlen(storage->root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) == 0) {
            code = sync_directory(pool, copy);
        }
        else if (errno != EEXIST) {
            code = errno;
        }
        if (code != 0) {
            return code;
        }
        *slash = '/';
    }
    return 0;
}

static int write_all(int fd, const char *data, apr_size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno;
        }
        data += n;
        length -= (apr_size_t)n;
    }
    return 0;
}

/* A new file with these bytes, on disk. @return 0 or errno, with no file left */
static int write_file(const char *path, const char *data, apr_size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code;

    if (fd < 0) {
        return errno;
    }
    code = write_all(fd, data, length);
    if (code == 0 && fsync(fd) != 0) {
        code = errno;
    }
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    if (code != 0) {
        unlink(path);
    }
    return code;
}

static iimg_error_t *put_one(iimg_context_t *context, const iimg_storage_t *storage,
                             const iimg_object_t *object)
{
    apr_pool_t *pool = context->pool;
    const char *path = file_path(pool, storage, object->key);
    /* Written beside its place under a name that is no key: never served, found by a listing. */
    const char *fresh = apr_pstrcat(pool, path, "~", iimg_uuid_create(pool), NULL);
    int code = make_parents(pool, storage, path);

    if (code == 0) {
        code = write_file(fresh, object->data, object->length);
    }
    if (code == 0 && rename(fresh, path) != 0) {
        code = errno;
        unlink(fresh);
    }
    if (code == 0) {
        code = sync_directory(pool, path);
    }
    return code ? trouble(context, "writing", path, code) : NULL;
}

static iimg_error_t *file_put(iimg_context_t *context, const iimg_storage_t *storage,
                              const iimg_object_t *objects, int count)
{
    iimg_error_t *err = NULL;

    for (int i = 0; i < count && !err; i++) {
        apr_time_t began = iimg_step_begin(context);

        err = put_one(context, storage, &objects[i]);
        iimg_step_end(context, began, "store put", objects[i].key);
    }
    return err;
}

static iimg_error_t *read_all(iimg_context_t *context, int fd, const char *path, apr_size_t size,
                              char *data)
{
    apr_size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return trouble(context, "reading", path, n < 0 ? errno : EIO);
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
        return trouble(context, "looking at", path, errno);
    }
    if ((apr_size_t)info.st_size > max) {
        return iimg_error_detail(iimg_error(context->pool, IIMG_TOO_LARGE,
                                            "The stored picture is larger than allowed."),
                                 "%s has %ld bytes", path, (long)info.st_size);
    }
    bytes = apr_palloc(context->pool, (apr_size_t)info.st_size + 1);
    bytes[info.st_size] = '\0';
    *data = bytes;
    *length = (apr_size_t)info.st_size;
    return read_all(context, fd, path, *length, bytes);
}

static iimg_error_t *file_get(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, apr_size_t max, const char **data,
                              apr_size_t *length)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = file_path(context->pool, storage, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    iimg_error_t *err;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return iimg_error_detail(iimg_error(context->pool, IIMG_NOT_FOUND, "Not found."),
                                 "%s is missing", path);
    }
    if (fd < 0) {
        return trouble(context, "opening", path, errno);
    }
    err = read_open(context, fd, path, max, data, length);
    close(fd);
    iimg_step_end(context, began, "store get", key);
    return err;
}

/* Directories that are named by the uuid go with their last file; the fan-out stays. */
static void remove_empty_parents(apr_pool_t *pool, const char *path)
{
    char *copy = apr_pstrdup(pool, path);

    for (;;) {
        char *slash = strrchr(copy, '/');
        char *name;

        *slash = '\0';
        name = strrchr(copy, '/') + 1;
        if (strcmp(name, "__sized__") != 0 && strlen(name) != IIMG_UUID_LENGTH) {
            return;
        }
        if (rmdir(copy) != 0) {
            return;
        }
    }
}

static iimg_error_t *file_remove(iimg_context_t *context, const iimg_storage_t *storage,
                                 const char *key)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = file_path(context->pool, storage, key);

    if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
        return trouble(context, "deleting", path, errno);
    }
    remove_empty_parents(context->pool, path);
    iimg_step_end(context, began, "store remove", key);
    return NULL;
}

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

static const char *file_probe(iimg_context_t *context, const iimg_storage_t *storage)
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
    .probe = file_probe,
    .put = file_put,
    .get = file_get,
    .remove = file_remove,
    .path = file_path,
};
