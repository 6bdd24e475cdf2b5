/* file_list.c - storage driver "file": paths of objects, and listing them. */
#include "services/storage/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/uuid.h"
#include "services/pictures/key.h"

/* <root>/media/ab/cd/<uuid>/..., <root>/generated_images/ab/cd/<uuid>.png: two levels named by the
 * first digits of the uuid keep directories small. */
const char *iimg_file_path(apr_pool_t *pool, const iimg_storage_t *storage, const char *key)
{
    const char *uuid = strchr(key, '/') + 1;

    return apr_psprintf(pool, "%s/%.*s%.2s/%.2s/%s", storage->root, (int)(uuid - key), key, uuid,
                        uuid + 2, uuid);
}

/* Whether the file system fails, not only one file. */
static bool affects_all(int code)
{
    return code == EIO || code == EROFS || code == ESTALE || code == ENOTCONN || code == ENODEV
           || code == ETIMEDOUT || code == EHOSTDOWN;
}

iimg_error_t *iimg_file_error(iimg_context_t *context, const char *what, const char *path, int code)
{
    bool is_full = code == ENOSPC || code == EDQUOT;
    iimg_error_t *err = iimg_error_with_detail(
        context->pool, IIMG_UNAVAILABLE, "store_down",
        is_full ? "The picture store is full. Nothing was changed."
                : "The picture store is not available at the moment. Nothing was changed.",
        "%s %s: %s", what, path, strerror(code));

    err->one_object = !affects_all(code);
    return err;
}

/* Listing ------------------------------------------------------------------------------------- */

#define MAX_DEPTH 4 /* ab/cd/<uuid>/__sized__ */

typedef struct listing_t {
    const iimg_storage_t *storage;
    iimg_storage_visit_fn visit;
    void *baton;
} listing_t;

/* @return media/<uuid>... for <root>/media/ab/cd/<uuid>...; NULL for files that are not ours */
static const char *find_key(apr_pool_t *pool, const iimg_storage_t *storage, const char *path)
{
    const char *place = path + strlen(storage->root) + 1;
    const char *fan_out = strchr(place, '/') + 1;
    const char *key;

    if (strlen(fan_out) < 6 + IIMG_UUID_LENGTH || !iimg_uuid_at(fan_out + 6)) {
        return NULL;
    }
    key = apr_psprintf(pool, "%.*s%s", (int)(fan_out - place), place, fan_out + 6);
    return strcmp(iimg_file_path(pool, storage, key), path) == 0 ? key : NULL;
}

static iimg_error_t *list_file(iimg_context_t *context, const listing_t *listing, const char *path,
                               const struct stat *info)
{
    const char *key = find_key(context->pool, listing->storage, path);
    iimg_listed_t object = { key,          NULL, true, false, apr_time_from_sec(info->st_mtime),
                             info->st_size };

    if (!key) {
        iimg_log(context, IIMG_LOG_INFO, "%s is not an object of this store", path);
        return NULL;
    }
    return listing->visit(context, listing->baton, &object);
}

static iimg_error_t *list_directory(iimg_context_t *context, const listing_t *listing,
                                    const char *path, int depth);

/* Files that vanish during the listing are skipped. */
static iimg_error_t *list_entry(iimg_context_t *context, const listing_t *listing, const char *path,
                                int depth)
{
    struct stat info;

    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? NULL : iimg_file_error(context, "stat", path, errno);
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

/* With a pool for each directory: a store may have millions of files. */
static iimg_error_t *list_directory(iimg_context_t *context, const listing_t *listing,
                                    const char *path, int depth)
{
    DIR *directory = opendir(path);
    iimg_context_t inner = *context;
    iimg_error_t *err;

    if (!directory) {
        return errno == ENOENT ? NULL : iimg_file_error(context, "listing", path, errno);
    }
    apr_pool_create(&inner.pool, context->pool);
    err = list_entries(&inner, listing, path, depth, directory);
    closedir(directory);
    if (err) {
        return err; /* allocated from inner.pool, which stays */
    }
    apr_pool_destroy(inner.pool);
    return NULL;
}

iimg_error_t *iimg_file_list(iimg_context_t *context, const iimg_storage_t *storage,
                             iimg_storage_visit_fn visit, void *baton)
{
    listing_t listing = { storage, visit, baton };
    iimg_error_t *err = NULL;

    for (int i = 0; iimg_key_places[i] && !err; i++) {
        err = list_directory(
            context, &listing,
            apr_pstrcat(context->pool, storage->root, "/", iimg_key_places[i], NULL), MAX_DEPTH);
    }
    return err;
}
