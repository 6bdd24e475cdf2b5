/* file_marker.c - storage driver "file": the marker of the directory. */
#include "services/storage/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/file.h"
#include "base/uuid.h"

static const char *marker_path(apr_pool_t *pool, const iimg_storage_t *storage)
{
    return apr_pstrcat(pool, storage->root, "/" IIMG_STORE_MARKER, NULL);
}

iimg_error_t *iimg_file_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char **text)
{
    apr_size_t length;
    iimg_error_t *err = iimg_file_read(context, marker_path(context->pool, storage),
                                       IIMG_STORE_MARKER_MAX, text, &length);

    if (err && err->kind == IIMG_NOT_FOUND) {
        *text = NULL;
        return NULL;
    }
    return err;
}

/* identityimgctl may run as root, but httpd's user must be able to read the marker. @return 0 or
 * errno */
static int write_text(int fd, const iimg_storage_t *storage, const char *text)
{
    int code = iimg_file_write_all(fd, text, strlen(text));
    struct stat root;

    if (code) {
        return code;
    }
    if (geteuid() == 0
        && (stat(storage->root, &root) != 0 || fchown(fd, root.st_uid, root.st_gid) != 0)) {
        return errno;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* link(2) fails if there is a marker already, unlike rename(2). On file systems without hard links
 * only the database prevents that two nodes write different markers. @return 0 or errno */
static int link_marker(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0 || errno == EEXIST) {
        return 0;
    }
    return access(path, F_OK) == 0 || rename(temporary, path) == 0 ? 0 : errno;
}

static int write_marker(const iimg_storage_t *storage, const char *temporary, const char *path,
                        const char *text)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644), code;

    if (fd < 0) {
        return errno;
    }
    code = write_text(fd, storage, text);
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    code = code ? code : link_marker(temporary, path);
    unlink(temporary);
    return code ? code : iimg_file_sync_directory(storage->root);
}

iimg_error_t *iimg_file_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                     const char *text)
{
    const char *path = marker_path(context->pool, storage);
    const char *temporary = apr_pstrcat(context->pool, path, "~", iimg_uuid_create(context->pool),
                                        NULL);
    int code = write_marker(storage, temporary, path, text);

    return code ? iimg_file_error(context, "writing", path, code) : NULL;
}
