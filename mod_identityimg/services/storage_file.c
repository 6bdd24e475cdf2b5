/* storage_file.c - storage method based on one directory: write, fsync, rename; read; delete. */
#include "services/storage_file.h"

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
#include "base/fault.h"
#include "base/log.h"
#include "base/spool.h"
#include "base/uuid.h"

/* Where an object is written before it gets its name: no key, so never served. Keys are written once
 * only: whoever deletes the key finds by its name what a dead process has left. */
static const char *unfinished(apr_pool_t *pool, const char *path)
{
    return apr_pstrcat(pool, path, "~", NULL);
}

/* Makes a directory's entries durable: a rename is only then on disk. @return 0 or errno */
static int sync_directory(const char *directory)
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

static int sync_parent(apr_pool_t *pool, const char *path)
{
    return sync_directory(apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path)));
}

/* Makes the directories above path that are missing. @return 0 or errno */
static int make_parents(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    char *copy = apr_pstrdup(pool, path);
    int code = 0;

    for (char *slash = strchr(copy + strlen(storage->root) + 1, '/'); slash && code == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) == 0) {
            code = sync_parent(pool, copy);
        }
        else if (errno != EEXIST) {
            code = errno;
        }
        *slash = '/';
    }
    return code;
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

/* Writing ------------------------------------------------------------------------------------- */

/* A file of a picture that is being written. */
typedef struct fresh_t {
    const char *path;           /* its name once it is whole */
    const char *temporary;      /* its name until then; NULL: it does not have that one */
    int fd;                     /* -1: closed */
    bool filled;                /* the object's own file was given this name */
} fresh_t;

/* What comes from a spool of this file system lies there already, and becomes the file. */
static bool adopt(apr_pool_t *pool, const iimg_object_t *object, fresh_t *file)
{
    if (!object->spool || iimg_spool_link(pool, object->spool, file->temporary) != 0) {
        return false;
    }
    file->fd = open(file->temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    file->filled = file->fd >= 0;
    if (!file->filled) {
        unlink(file->temporary);
    }
    return file->filled;
}

static int create(apr_pool_t *pool, const iimg_object_t *object, fresh_t *file)
{
    if (adopt(pool, object, file)) {
        return 0;
    }
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->fd < 0 ? errno : 0;
}

/* Most files have neighbours, whose directory is there. @return 0 or errno */
static int open_fresh(apr_pool_t *pool, const iimg_storage_t *storage, const iimg_object_t *object,
                      fresh_t *file)
{
    int code = IIMG_FAULT("file.mkdir");

    file->fd = -1;
    file->path = iimg_file_path(pool, storage, object->key);
    file->temporary = unfinished(pool, file->path);
    code = code ? code : IIMG_FAULT("file.create");
    code = code ? code : create(pool, object, file);
    if (code == ENOENT) {
        code = make_parents(pool, storage, file->path);
        code = code ? code : create(pool, object, file);
    }
    file->temporary = file->fd < 0 ? NULL : file->temporary;
    return code;
}

static int write_object(const fresh_t *file, const iimg_object_t *object)
{
    int code = IIMG_FAULT("file.write");

    if (file->filled) {
        return code;
    }
    if (code != 0) {
        (void)!write(file->fd, object->data, object->length / 2);      /* as a full disk does */
        return code;
    }
    /* Its mapped file would come into memory as a whole. */
    return object->spool ? iimg_spool_copy(object->spool, file->fd)
                         : write_all(file->fd, object->data, object->length);
}

/* Has the disk begin with it: all files of a picture are under way before the first is waited for. */
static int fill(const fresh_t *file, const iimg_object_t *object)
{
    int code = write_object(file, object);

    (void)IIMG_FAULT("file.written");
    if (code == 0) {
        (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    return code;
}

static int close_fresh(fresh_t *file)
{
    int rc = file->fd < 0 ? 0 : close(file->fd);

    file->fd = -1;
    return rc == 0 ? 0 : errno;
}

static int sync_file(fresh_t *file)
{
    int code = IIMG_FAULT("file.fsync"), rc;

    if (code == 0 && fsync(file->fd) != 0) {
        code = errno;
    }
    rc = close_fresh(file);
    (void)IIMG_FAULT("file.synced");
    return code ? code : rc;
}

static int give_name(fresh_t *file)
{
    int code = IIMG_FAULT("file.rename");

    if (code == 0 && rename(file->temporary, file->path) != 0) {
        code = errno;
    }
    if (code == 0) {
        file->temporary = NULL;
        (void)IIMG_FAULT("file.renamed");
    }
    return code;
}

static bool is_in_same_directory(const char *path, const char *other)
{
    size_t length = (size_t)(strrchr(path, '/') - path) + 1;

    return strncmp(path, other, length) == 0 && !strchr(other + length, '/');
}

/* Makes the names durable. Files of one directory stand next to each other. */
static int sync_names(apr_pool_t *pool, const fresh_t *files, int count, const char **path)
{
    int code = 0;

    for (int i = 0; i < count && code == 0; i++) {
        *path = files[i].path;
        if (i + 1 == count || !is_in_same_directory(files[i].path, files[i + 1].path)) {
            code = sync_parent(pool, files[i].path);
        }
    }
    return code;
}

static int write_one(iimg_context_t *context, const iimg_storage_t *storage,
                     const iimg_object_t *object, fresh_t *file)
{
    apr_time_t began = iimg_step_begin(context);
    int code;

    (void)IIMG_FAULT("file.object");
    code = open_fresh(context->pool, storage, object, file);
    code = code ? code : fill(file, object);
    iimg_step_end(context, began, "store put", object->key);
    return code;
}

/* @param path of what was done last @return 0 or errno */
static int write_files(iimg_context_t *context, const iimg_storage_t *storage,
                       const iimg_object_t *objects, int count, fresh_t *files, const char **path)
{
    int code = 0;

    for (int i = 0; i < count && code == 0; i++) {
        code = write_one(context, storage, &objects[i], &files[i]);
        *path = files[i].path;
    }
    for (int i = 0; i < count && code == 0; i++) {
        *path = files[i].path;
        code = sync_file(&files[i]);
    }
    for (int i = 0; i < count && code == 0; i++) {
        *path = files[i].path;
        code = give_name(&files[i]);
    }
    return code ? code : sync_names(context->pool, files, count, path);
}

/* Nobody waits for what has no name yet. */
static void drop_unfinished(fresh_t *files, int count)
{
    for (int i = 0; i < count; i++) {
        if (files[i].path) {
            (void)close_fresh(&files[i]);
        }
        if (files[i].temporary) {
            unlink(files[i].temporary);
        }
    }
}

static iimg_error_t *file_put(iimg_context_t *context, const iimg_storage_t *storage,
                              const iimg_object_t *objects, int count)
{
    fresh_t *files = apr_pcalloc(context->pool, (apr_size_t)count * sizeof(*files));
    apr_time_t began = iimg_step_begin(context);
    const char *path = storage->root;
    int code = write_files(context, storage, objects, count, files, &path);

    if (code != 0) {
        drop_unfinished(files, count);
    }
    iimg_step_end(context, began, "store put all", NULL);
    return code ? iimg_file_trouble(context, "writing", path, code) : NULL;
}

/* Reading ------------------------------------------------------------------------------------- */

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
            return iimg_file_trouble(context, "reading", path, n < 0 ? errno : EIO);
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
        return iimg_file_trouble(context, "looking at", path, errno);
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
    const char *path = iimg_file_path(context->pool, storage, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    iimg_error_t *err;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return iimg_error_detail(iimg_error(context->pool, IIMG_NOT_FOUND, "Not found."),
                                 "%s is missing", path);
    }
    if (fd < 0) {
        return iimg_file_trouble(context, "opening", path, errno);
    }
    err = read_open(context, fd, path, max, data, length);
    close(fd);
    iimg_step_end(context, began, "store get", key);
    return err;
}

/* Deleting ------------------------------------------------------------------------------------ */

/* Directories that are named by the uuid go with their last file; the fan-out stays.
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
        code = remove_file(unfinished(context->pool, path));
    }
    if (code == 0) {
        code = remove_empty_parents(context->pool, path);
    }
    iimg_step_end(context, began, "store remove", key);
    return code ? iimg_file_trouble(context, "deleting", path, code) : NULL;
}

/* What still is of the directories that a file was in: its name is gone from that one, or the name
 * of the next directory is. */
static const char *remaining_directory(apr_pool_t *pool, const iimg_storage_t *storage,
                                       const char *path)
{
    char *copy = apr_pstrdup(pool, path);

    do {
        *strrchr(copy, '/') = '\0';
    } while (strcmp(copy, storage->root) != 0 && access(copy, F_OK) != 0);
    return copy;
}

/* @param synced the directory of the last file, which is that of most @return 0 or errno */
static int settle_one(apr_pool_t *pool, const iimg_storage_t *storage, const char *path,
                      const char **synced)
{
    const char *directory = remaining_directory(pool, storage, path);
    int code = 0;

    if (!*synced || strcmp(*synced, directory) != 0) {
        *synced = directory;
        code = sync_directory(directory);
    }
    /* Meanwhile another one may have removed more. */
    return code == ENOENT && strcmp(directory, storage->root) != 0
               ? settle_one(pool, storage, path, synced) : code;
}

static iimg_error_t *file_settle(iimg_context_t *context, const iimg_storage_t *storage,
                                 const apr_array_header_t *keys)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = storage->root, *synced = NULL;
    int code = 0;

    for (int i = 0; i < keys->nelts && code == 0; i++) {
        path = iimg_file_path(context->pool, storage, APR_ARRAY_IDX(keys, i, const char *));
        code = settle_one(context->pool, storage, path, &synced);
    }
    iimg_step_end(context, began, "store settle", NULL);
    return code ? iimg_file_trouble(context, "deleting", path, code) : NULL;
}

static iimg_error_t *file_purge(iimg_context_t *context, const iimg_storage_t *storage,
                                const char *key, const char *version)
{
    apr_array_header_t *keys = apr_array_make(context->pool, 1, sizeof(const char *));
    iimg_error_t *err = file_remove(context, storage, key, false);

    (void)version;
    APR_ARRAY_PUSH(keys, const char *) = key;
    return err ? err : file_settle(context, storage, keys);
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
    return errno == ENOENT || errno == ENOTDIR
               ? NULL : iimg_file_trouble(context, "looking at", path, errno);
}

/* The directory itself ------------------------------------------------------------------------- */

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
    .put = file_put,
    .get = file_get,
    .has = file_has,
    .remove = file_remove,
    .settle = file_settle,
    .list = iimg_file_list,
    .purge = file_purge,
    .path = iimg_file_path,
};
