/* liveness.c - which processes of this node are alive: each locks a marker file. */
#include "server/jobs/liveness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include "base/file.h"

#define SUFFIX    ".alive"
#define MAX_OWNER 512

iimg_liveness_t *iimg_liveness_register(apr_pool_t *pool, const char *dir, const char *owner,
                                        const char *name)
{
    iimg_liveness_t *liveness = apr_palloc(pool, sizeof(*liveness));
    const char *temporary = apr_pstrcat(pool, dir, "/", name, ".new", NULL);

    liveness->dir = dir;
    liveness->path = apr_pstrcat(pool, dir, "/", name, SUFFIX, NULL);
    liveness->fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (liveness->fd < 0) {
        return NULL;
    }
    /* Locked before the rename: no process can mistake it for a dead process' marker. */
    if (iimg_file_write_all(liveness->fd, owner, strlen(owner)) != 0
        || flock(liveness->fd, LOCK_EX | LOCK_NB) || rename(temporary, liveness->path)) {
        unlink(temporary);
        close(liveness->fd);
        return NULL;
    }
    return liveness;
}

void iimg_liveness_unregister(iimg_liveness_t *liveness)
{
    unlink(liveness->path);
    close(liveness->fd);
}

static bool is_marker(const char *name)
{
    size_t length = strlen(name), suffix = strlen(SUFFIX);

    return length > suffix && strcmp(name + length - suffix, SUFFIX) == 0;
}

/* Locks the marker if its process has died. */
static bool lock_if_dead(apr_pool_t *pool, const char *path, iimg_liveness_dead_t *dead)
{
    char owner[MAX_OWNER + 1];
    ssize_t length;

    dead->path = path;
    dead->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (dead->fd < 0) {
        return false;
    }
    if (flock(dead->fd, LOCK_EX | LOCK_NB)) {
        close(dead->fd);
        return false;
    }
    length = pread(dead->fd, owner, MAX_OWNER, 0);
    dead->owner = apr_pstrmemdup(pool, owner, length > 0 ? (apr_size_t)length : 0);
    return true;
}

void iimg_liveness_find_dead(apr_pool_t *pool, const iimg_liveness_t *liveness,
                             apr_array_header_t **dead)
{
    apr_finfo_t entry;
    apr_dir_t *folder;

    *dead = apr_array_make(pool, 4, sizeof(iimg_liveness_dead_t));
    if (apr_dir_open(&folder, liveness->dir, pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        const char *path = apr_pstrcat(pool, liveness->dir, "/", entry.name, NULL);
        iimg_liveness_dead_t found;

        if (is_marker(entry.name) && strcmp(path, liveness->path) != 0
            && lock_if_dead(pool, path, &found)) {
            APR_ARRAY_PUSH(*dead, iimg_liveness_dead_t) = found;
        }
    }
    apr_dir_close(folder);
}

void iimg_liveness_close_dead(const iimg_liveness_dead_t *dead, bool released)
{
    if (released) {
        unlink(dead->path);
    }
    close(dead->fd);
}
