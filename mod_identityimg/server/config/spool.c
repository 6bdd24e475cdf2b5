/* spool.c - the folder that replies of providers are spooled in. */
#include "server/config/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include <http_config.h>
#include "server/config/unix_user.h"

/* Without ".", ".." and a trailing slash, where lstat() would follow a link. */
static const char *plain_path(apr_pool_t *pool, const char *path)
{
    char *plain;
    size_t n;

    if (apr_filepath_merge(&plain, "/", path, APR_FILEPATH_NOTRELATIVE, pool) != APR_SUCCESS) {
        return path;
    }
    ap_no2slash(plain);
    n = strlen(plain);
    if (n > 1 && plain[n - 1] == '/') {
        plain[n - 1] = '\0';
    }
    return plain;
}

static const char *parent_of(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

static const char *user_name(apr_pool_t *pool)
{
    return iimg_unix_user_name(pool, iimg_unix_user());
}

static const char *foreign(apr_pool_t *pool, uid_t owner)
{
    return apr_psprintf(pool,
                        "belongs to the user %s and not to httpd's user %s; choose a folder "
                        "that does not exist yet, or chown this one",
                        iimg_unix_user_name(pool, owner), user_name(pool));
}

static const char *check_access(apr_pool_t *pool, const char *folder, int mode)
{
    int code = iimg_unix_user_access(folder, mode);

    return code ? apr_psprintf(pool,
                               "cannot be used: httpd's user %s may not use the folder %s: "
                               "%s; change the permissions of that folder or of those above it",
                               user_name(pool), folder, strerror(code))
                : NULL;
}

static const char *check_parent(apr_pool_t *pool, const char *parent)
{
    struct stat info;

    if (stat(parent, &info) != 0) {
        return apr_psprintf(pool, "cannot be created: %s: %s; create that folder first", parent,
                            strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        return apr_psprintf(pool, "cannot be created: %s is not a folder", parent);
    }
    if ((info.st_mode & S_IWOTH) && !(info.st_mode & S_ISVTX)) {
        return apr_psprintf(pool,
                            "is not safe: every user may rename what is in %s; run chmod o-w "
                            "on that folder",
                            parent);
    }
    return check_access(pool, parent, X_OK);
}

static const char *check_missing(apr_pool_t *pool, const char *parent)
{
    const char *problem = check_parent(pool, parent);

    if (problem) {
        return problem;
    }
    if (access(parent, W_OK | X_OK) != 0) {
        return apr_psprintf(pool,
                            "cannot be created in %s: %s; create it and chown it to httpd's "
                            "user %s",
                            parent, strerror(errno), user_name(pool));
    }
    return NULL;
}

static const char *check_existing(apr_pool_t *pool, const char *path, const struct stat *info)
{
    const char *problem;

    if (S_ISLNK(info->st_mode)) {
        return "is a symbolic link; name the folder that it leads to";
    }
    if (!S_ISDIR(info->st_mode)) {
        return "is not a folder; remove the file or choose another path";
    }
    if (info->st_uid != iimg_unix_user()) {
        return foreign(pool, info->st_uid);
    }
    problem = check_parent(pool, parent_of(pool, path));
    if (problem) {
        return problem;
    }
    return check_access(pool, path, R_OK | W_OK | X_OK);
}

static const char *check_folder(apr_pool_t *pool, const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0) {
        return check_existing(pool, path, &info);
    }
    return errno == ENOENT ? check_missing(pool, parent_of(pool, path))
                           : apr_psprintf(pool, "cannot be used: %s", strerror(errno));
}

/* `identityimgctl reconcile` takes every file there for a picture. */
static bool is_within_store(apr_pool_t *pool, const iimg_config_t *config, const char *path)
{
    const char *root = config->services.storage.driver->path && config->storage_root
                           ? plain_path(pool, config->storage_root)
                           : NULL;
    size_t n = root ? strlen(root) : 0;

    return root && strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static const char *name_directive(apr_pool_t *pool, const char *path, const char *problem)
{
    return problem ? apr_psprintf(pool, "IdentityImgSpoolDir: \"%s\" %s", path, problem) : NULL;
}

const char *iimg_config_spool_check(apr_pool_t *pool, iimg_config_t *config)
{
    const char *path = config->spool_dir ? config->spool_dir
                                         : ap_runtime_dir_relative(pool, "identityimg-spool");

    if (!path) {
        return "IdentityImgSpoolDir: is missing, and DefaultRuntimeDir is not usable; set one of "
               "them";
    }
    path = plain_path(pool, path);
    config->services.generator_settings.spool_dir = path;
    if (is_within_store(pool, config, path)) {
        return name_directive(pool, path,
                              "lies in the folder of IdentityImgStorageRoot; choose a "
                              "folder outside of it");
    }
    return name_directive(pool, path, check_folder(pool, path));
}

/* Start --------------------------------------------------------------------------------------- */

/* Through a descriptor: the folder that is checked is the one that is changed. */
static const char *own_folder(apr_pool_t *pool, int fd, bool fresh)
{
    struct stat info;

    if (fresh && geteuid() == 0 && fchown(fd, iimg_unix_user(), iimg_unix_group())) {
        return apr_psprintf(pool, "cannot be given to httpd's user: %s", strerror(errno));
    }
    if (fstat(fd, &info)) {
        return apr_psprintf(pool, "cannot be used: %s", strerror(errno));
    }
    if (info.st_uid != iimg_unix_user()) {
        return foreign(pool, info.st_uid);
    }
    return fchmod(fd, 0700) ? apr_psprintf(pool, "cannot be given mode 0700: %s", strerror(errno))
                            : NULL;
}

static const char *make_folder(apr_pool_t *pool, const char *path)
{
    bool fresh = mkdir(path, 0700) == 0;
    const char *problem;
    int fd;

    if (!fresh && errno != EEXIST) {
        return apr_psprintf(pool, "cannot be created: %s", strerror(errno));
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return apr_psprintf(pool, "cannot be used: %s", strerror(errno));
    }
    problem = own_folder(pool, fd, fresh);
    close(fd);
    return problem;
}

const char *iimg_config_spool_start(apr_pool_t *pool, iimg_config_t *config)
{
    const char *path = config->services.generator_settings.spool_dir;

    return name_directive(pool, path, make_folder(pool, path));
}
