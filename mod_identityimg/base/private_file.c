/* private_file.c - read small files, with a check of permissions for secrets. */
#include "base/private_file.h"

#include <string.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#define MAX_FILE 4096

static const char *read_file(apr_pool_t *pool, const char *path, apr_fileperms_t refused,
                             const char **text)
{
    char buffer[MAX_FILE];
    apr_size_t length = sizeof(buffer) - 1;
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_OS_DEFAULT, pool);

    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "cannot be read: %pm", &rv);
    }
    rv = apr_file_info_get(&info, APR_FINFO_PROT | APR_FINFO_TYPE, file);
    if (rv != APR_SUCCESS || info.filetype != APR_REG) {
        return "is not a regular file";
    }
    if (info.protection & refused) {
        return "can be read by other users: run chmod 600";
    }
    rv = apr_file_read_full(file, buffer, length, &length);
    apr_file_close(file);
    if (rv == APR_SUCCESS) {
        return "is larger than 4 kB";
    }
    if (memchr(buffer, '\0', length)) {
        return "contains a NUL byte";
    }
    buffer[length] = '\0';
    *text = apr_pstrdup(pool, buffer);
    memset(buffer, 0, sizeof(buffer));
    return NULL;
}

const char *iimg_private_file_read(apr_pool_t *pool, const char *path, const char **text)
{
    return read_file(pool, path,
                     APR_FPROT_GREAD | APR_FPROT_GWRITE | APR_FPROT_WREAD | APR_FPROT_WWRITE, text);
}

const char *iimg_public_file_read(apr_pool_t *pool, const char *path, const char **text)
{
    return read_file(pool, path, 0, text);
}
