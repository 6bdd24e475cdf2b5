/* liveness.c - which processes of this node live: the kernel drops a lock with its process. */
#include "server/jobs/liveness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include "base/file.h"

#define ENDING    ".alive"
#define MAX_OWNER 512

iimg_alive_t *iimg_alive_begin(apr_pool_t *pool, const char *dir, const char *owner,
                               const char *name)
{
    iimg_alive_t *alive = apr_palloc(pool, sizeof(*alive));
    const char *unfinished = apr_pstrcat(pool, dir, "/", name, ".new", NULL);

    alive->dir = dir;
    alive->path = apr_pstrcat(pool, dir, "/", name, ENDING, NULL);
    alive->fd = open(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (alive->fd < 0) {
        return NULL;
    }
    /* Under its name it is locked already: nobody takes it for a dead one's. */
    if (iimg_file_write_all(alive->fd, owner, strlen(owner)) != 0
        || flock(alive->fd, LOCK_EX | LOCK_NB) || rename(unfinished, alive->path)) {
        unlink(unfinished);
        close(alive->fd);
        return NULL;
    }
    return alive;
}

void iimg_alive_end(iimg_alive_t *alive)
{
    unlink(alive->path);
    close(alive->fd);
}

static bool ends_well(const char *name)
{
    size_t length = strlen(name), ending = strlen(ENDING);

    return length > ending && strcmp(name + length - ending, ENDING) == 0;
}

/* Whether nobody holds the mark; then this process does. */
static bool is_dead(apr_pool_t *pool, const char *path, iimg_alive_dead_t *dead)
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

void iimg_alive_find_dead(apr_pool_t *pool, const iimg_alive_t *alive, apr_array_header_t **dead)
{
    apr_finfo_t entry;
    apr_dir_t *folder;

    *dead = apr_array_make(pool, 4, sizeof(iimg_alive_dead_t));
    if (apr_dir_open(&folder, alive->dir, pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        const char *path = apr_pstrcat(pool, alive->dir, "/", entry.name, NULL);
        iimg_alive_dead_t one;

        if (ends_well(entry.name) && strcmp(path, alive->path) != 0 && is_dead(pool, path, &one)) {
            APR_ARRAY_PUSH(*dead, iimg_alive_dead_t) = one;
        }
    }
    apr_dir_close(folder);
}

void iimg_alive_bury(const iimg_alive_dead_t *dead, bool done)
{
    if (done) {
        unlink(dead->path);
    }
    close(dead->fd);
}
