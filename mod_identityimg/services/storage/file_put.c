/* file_put.c - storage driver "file": writes the objects of a picture, atomically and durably.
 *
 * Each object is written to a temporary name, synced and renamed; then its directory is synced. All
 * files of a picture are written before the first fsync, so that the disk works on all of them. A
 * file with its final name is complete, also after a crash. */
#include "services/storage/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spool.h"

static int sync_parent(apr_pool_t *pool, const char *path)
{
    apr_size_t length = (apr_size_t)(strrchr(path, '/') - path);

    return iimg_file_sync_directory(apr_pstrmemdup(pool, path, length));
}

/* Create missing directories above path. @return 0 or errno */
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

/* A file that is being written. */
typedef struct file_t {
    const char *path;      /* its final name */
    const char *temporary; /* its temporary name; NULL: the file does not have it */
    int fd;                /* -1: closed */
    bool filled;           /* linked from the object's spool */
} file_t;

/* A spool on the same file system is linked instead of copied. */
static bool link_spool(apr_pool_t *pool, const iimg_object_t *object, file_t *file)
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

static int create_file(apr_pool_t *pool, const iimg_object_t *object, file_t *file)
{
    if (link_spool(pool, object, file)) {
        return 0;
    }
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->fd < 0 ? errno : 0;
}

/* Directories are created only if needed: most exist. @return 0 or errno */
static int open_file(apr_pool_t *pool, const iimg_storage_t *storage, const iimg_object_t *object,
                     file_t *file)
{
    int code = IIMG_FAULT("file.mkdir");

    file->fd = -1;
    file->path = iimg_file_path(pool, storage, object->key);
    file->temporary = iimg_file_unfinished(pool, file->path);
    code = code ? code : IIMG_FAULT("file.create");
    code = code ? code : create_file(pool, object, file);
    if (code == ENOENT) {
        code = make_parents(pool, storage, file->path);
        code = code ? code : create_file(pool, object, file);
    }
    file->temporary = file->fd < 0 ? NULL : file->temporary;
    return code;
}

static int write_object(const file_t *file, const iimg_object_t *object)
{
    int code = IIMG_FAULT("file.write");

    if (file->filled) {
        return code;
    }
    if (code != 0) {
        (void)!write(file->fd, object->data, object->length / 2); /* as a full disk does */
        return code;
    }
    /* Not from the mapping, which would bring the whole file into memory. */
    return object->spool ? iimg_spool_copy(object->spool, file->fd)
                         : iimg_file_write_all(file->fd, object->data, object->length);
}

/* Starts writeback, without waiting for it. */
static int write_file(const file_t *file, const iimg_object_t *object)
{
    int code = write_object(file, object);

    (void)IIMG_FAULT("file.written");
    if (code == 0) {
        (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    return code;
}

static int close_file(file_t *file)
{
    int rc = file->fd < 0 ? 0 : close(file->fd);

    file->fd = -1;
    return rc == 0 ? 0 : errno;
}

static int sync_file(file_t *file)
{
    int code = IIMG_FAULT("file.fsync"), rc;

    if (code == 0 && fsync(file->fd) != 0) {
        code = errno;
    }
    rc = close_file(file);
    (void)IIMG_FAULT("file.synced");
    return code ? code : rc;
}

static int rename_file(file_t *file)
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

/* Make the names durable. Files of a directory are adjacent. */
static int sync_names(apr_pool_t *pool, const file_t *files, int count, const char **path)
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

static int put_object(iimg_context_t *context, const iimg_storage_t *storage,
                      const iimg_object_t *object, file_t *file)
{
    apr_time_t began = iimg_step_begin(context);
    int code;

    (void)IIMG_FAULT("file.object");
    code = open_file(context->pool, storage, object, file);
    code = code ? code : write_file(file, object);
    iimg_step_end(context, began, "store put", object->key);
    return code;
}

/* @param path of the last file, for the log @return 0 or errno */
static int write_files(iimg_context_t *context, const iimg_storage_t *storage,
                       const iimg_object_t *objects, int count, file_t *files, const char **path)
{
    int code = 0;

    for (int i = 0; i < count && code == 0; i++) {
        code = put_object(context, storage, &objects[i], &files[i]);
        *path = files[i].path;
    }
    for (int i = 0; i < count && code == 0; i++) {
        *path = files[i].path;
        code = sync_file(&files[i]);
    }
    for (int i = 0; i < count && code == 0; i++) {
        *path = files[i].path;
        code = rename_file(&files[i]);
    }
    return code ? code : sync_names(context->pool, files, count, path);
}

static void drop_files(file_t *files, int count)
{
    for (int i = 0; i < count; i++) {
        if (files[i].path) {
            (void)close_file(&files[i]);
        }
        if (files[i].temporary) {
            unlink(files[i].temporary);
        }
    }
}

iimg_error_t *iimg_file_put(iimg_context_t *context, const iimg_storage_t *storage,
                            const iimg_object_t *objects, int count)
{
    file_t *files = apr_pcalloc(context->pool, (apr_size_t)count * sizeof(*files));
    apr_time_t began = iimg_step_begin(context);
    const char *path = storage->root;
    int code = write_files(context, storage, objects, count, files, &path);

    if (code != 0) {
        drop_files(files, count);
    }
    iimg_step_end(context, began, "store put all", NULL);
    return code ? iimg_file_error(context, "writing", path, code) : NULL;
}
