/* storage_file.c - storage method based on one directory: write, fsync, rename. */
#include "services/storage.h"

#include <dirent.h>
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

/* Where an object is written before it gets its name: no key, so never served. Keys are written once
 * only: whoever deletes the key finds by its name what a dead process has left. */
static const char *unfinished(apr_pool_t *pool, const char *path)
{
    return apr_pstrcat(pool, path, "~", NULL);
}

/* Makes the entries of the directory that path is in durable: a rename is only then on disk. */
static int sync_directory(apr_pool_t *pool, const char *path)
{
    const char *directory = apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path));
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

/* Makes the directories above path that are missing. @return 0 or errno */
static int make_parents(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    char *copy = apr_pstrdup(pool, path);
    int code = IIMG_FAULT("file.mkdir");

    for (char *slash = strchr(copy + strlen(storage->root) + 1, '/'); slash && code == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) == 0) {
            code = sync_directory(pool, copy);
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
    int code = IIMG_FAULT("file.write");

    if (code != 0) {
        (void)!write(fd, data, length / 2);     /* as a full disk does */
        return code;
    }
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
    int code = IIMG_FAULT("file.create");
    int fd = code == 0 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)
                       : -1;

    if (fd < 0) {
        return code ? code : errno;
    }
    code = write_all(fd, data, length);
    (void)IIMG_FAULT("file.written");
    if (code == 0) {
        code = IIMG_FAULT("file.fsync");
    }
    if (code == 0 && fsync(fd) != 0) {
        code = errno;
    }
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    (void)IIMG_FAULT("file.synced");
    if (code != 0) {
        unlink(path);
    }
    return code;
}

static int give_name(const char *fresh, const char *path)
{
    int code = IIMG_FAULT("file.rename");

    if (code == 0 && rename(fresh, path) != 0) {
        code = errno;
    }
    if (code != 0) {
        unlink(fresh);
    }
    return code;
}

static iimg_error_t *put_one(iimg_context_t *context, const iimg_storage_t *storage,
                             const iimg_object_t *object)
{
    apr_pool_t *pool = context->pool;
    const char *path = file_path(pool, storage, object->key);
    const char *fresh = unfinished(pool, path);
    int code = make_parents(pool, storage, path);

    if (code == 0) {
        code = write_file(fresh, object->data, object->length);
    }
    if (code == 0) {
        code = give_name(fresh, path);
    }
    if (code == 0) {
        (void)IIMG_FAULT("file.renamed");
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

        (void)IIMG_FAULT("file.object");
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

/* Directories that are named by the uuid go with their last file; the fan-out stays.
 * @param changed the path whose directory has changed last
 * @return 0 or errno */
static int remove_empty_parents(apr_pool_t *pool, const char *path, const char **changed)
{
    char *copy = apr_pstrdup(pool, path);

    (void)IIMG_FAULT("file.rmdir");
    *changed = path;
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
        *changed = apr_pstrdup(pool, copy);
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

/* The manifest forgets what is gone from the disk, not from its cache alone. */
static iimg_error_t *file_remove(iimg_context_t *context, const iimg_storage_t *storage,
                                 const char *key, bool again)
{
    apr_time_t began = iimg_step_begin(context);
    const char *path = file_path(context->pool, storage, key);
    const char *changed = path;
    int code = remove_file(path);

    (void)again;
    if (code == 0) {
        code = remove_file(unfinished(context->pool, path));
    }
    if (code == 0) {
        code = remove_empty_parents(context->pool, path, &changed);
    }
    if (code == 0) {
        code = sync_directory(context->pool, changed);
        code = code == ENOENT ? 0 : code;       /* another one has removed more than we */
    }
    iimg_step_end(context, began, "store remove", key);
    return code ? trouble(context, "deleting", path, code) : NULL;
}

static iimg_error_t *file_purge(iimg_context_t *context, const iimg_storage_t *storage,
                                const char *key, const char *version)
{
    (void)version;
    return file_remove(context, storage, key, false);
}

static iimg_error_t *file_has(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, bool *there)
{
    const char *path = file_path(context->pool, storage, key);
    struct stat info;

    if (lstat(path, &info) == 0) {
        *there = S_ISREG(info.st_mode);
        return NULL;
    }
    *there = false;
    return errno == ENOENT || errno == ENOTDIR ? NULL : trouble(context, "looking at", path, errno);
}

/* Listing ------------------------------------------------------------------------------------- */

typedef struct listing_t {
    const iimg_storage_t *storage;
    iimg_storage_visit_fn visit;
    void *baton;
} listing_t;

/* <root>/media/ab/cd/<uuid>... is media/<uuid>...; NULL: not where we would have put it */
static const char *key_of(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    const char *place = path + strlen(storage->root) + 1;
    const char *fan_out = strchr(place, '/') + 1;
    const char *key;

    if (strlen(fan_out) < 6 + IIMG_UUID_LENGTH || !iimg_uuid_at(fan_out + 6)) {
        return NULL;
    }
    key = apr_psprintf(pool, "%.*s%s", (int)(fan_out - place), place, fan_out + 6);
    return strcmp(file_path(pool, storage, key), path) == 0 ? key : NULL;
}

static iimg_error_t *list_file(iimg_context_t *context, const listing_t *listing,
                               const char *path, const struct stat *info)
{
    const char *key = key_of(context->pool, listing->storage, path);
    iimg_listed_t object = { key, NULL, true, false, apr_time_from_sec(info->st_mtime),
                             info->st_size };

    if (!key) {
        iimg_log(context, IIMG_LOG_INFO, "%s is none of ours", path);
        return NULL;
    }
    return listing->visit(context, listing->baton, &object);
}

static iimg_error_t *list_directory(iimg_context_t *context, const listing_t *listing,
                                    const char *path, int depth);

/* What vanishes while we look is not there. */
static iimg_error_t *list_entry(iimg_context_t *context, const listing_t *listing,
                                const char *path, int depth)
{
    struct stat info;

    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? NULL : trouble(context, "looking at", path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return depth > 0 ? list_directory(context, listing, path, depth - 1) : NULL;
    }
    return S_ISREG(info.st_mode) ? list_file(context, listing, path, &info) : NULL;
}

static iimg_error_t *list_entries(iimg_context_t *context, const listing_t *listing,
                                  const char *path, int depth, DIR *directory)
{
    iimg_error_t *err = NULL;
    const struct dirent *entry;

    while (!err && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            err = list_entry(context, listing,
                             apr_pstrcat(context->pool, path, "/", entry->d_name, NULL), depth);
        }
    }
    return err;
}

/* In memory of its own: a store may have millions of files, though one directory has few. */
static iimg_error_t *list_directory(iimg_context_t *context, const listing_t *listing,
                                    const char *path, int depth)
{
    DIR *directory = opendir(path);
    iimg_context_t inner = *context;
    iimg_error_t *err, *kept = NULL;

    if (!directory) {
        return errno == ENOENT ? NULL : trouble(context, "listing", path, errno);
    }
    apr_pool_create(&inner.pool, context->pool);
    err = list_entries(&inner, listing, path, depth, directory);
    closedir(directory);
    if (err) {
        kept = iimg_error_detail(iimg_error(context->pool, err->kind, "%s", err->message), "%s",
                                 err->detail ? err->detail : err->message);
        kept->code = err->code;
    }
    apr_pool_destroy(inner.pool);
    return kept;
}

static iimg_error_t *file_list(iimg_context_t *context, const iimg_storage_t *storage,
                               iimg_storage_visit_fn visit, void *baton)
{
    listing_t listing = { storage, visit, baton };
    iimg_error_t *err = NULL;

    for (int i = 0; iimg_key_places[i] && !err; i++) {
        /* ab/cd/<uuid>/__sized__ is the deepest */
        err = list_directory(context, &listing,
                             apr_pstrcat(context->pool, storage->root, "/", iimg_key_places[i],
                                         NULL), 4);
    }
    return err;
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
    .list = file_list,
    .purge = file_purge,
    .path = file_path,
};
