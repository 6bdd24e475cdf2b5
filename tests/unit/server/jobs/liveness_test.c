/* liveness_test.c - server/jobs/liveness.c: marks of processes, and finding those of dead ones. */
#include "server/jobs/liveness.c"

#include <sys/stat.h>
#include <sys/wait.h>
#include "tap.h"
#include "work.h"

static apr_pool_t *pool;
static char dir[] = "/tmp/iimg-alive.XXXXXX";

static const char *path_of(const char *name)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    fputs(text, file);
    fclose(file);
}

static bool there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

/* A process that dies without taking its mark away. */
static void die(const char *name)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        _exit(iimg_liveness_register(pool, dir, "node/2/dead", name) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    tap_ok(status == 0, "a process sets its mark and dies");
}

int main(void)
{
    iimg_context_t *context = work_begin();
    iimg_liveness_t *own;
    apr_array_header_t *dead;
    const iimg_liveness_dead_t *found;
    struct stat status;
    char letters[601] = "";

    pool = context->pool;
    if (!tap_ok(mkdtemp(dir) != NULL, "a folder is made")) {
        return tap_done();
    }
    tap_ok(!iimg_liveness_register(pool, "/nonexistent", "o", "n"),
           "a folder that is missing: no mark");
    own = iimg_liveness_register(pool, dir, "node/1/own", "own");
    tap_ok(own && there("own.alive") && !there("own.new"), "a mark has its final name");
    tap_ok(stat(path_of("own.alive"), &status) == 0 && (status.st_mode & 07777) == 0600
               && status.st_size == 10,
           "a mark is for its user alone, and has the owner");
    tap_ok(fcntl(own->fd, F_GETFD) & FD_CLOEXEC, "a mark is not inherited by programs");
    iimg_liveness_find_dead(pool, own, &dead);
    tap_is_number(dead->nelts, 0, "the process' own mark is not dead");
    {
        iimg_liveness_t other = *own;
        int fd = open(path_of("held.alive"), O_CREAT | O_RDWR, 0600);

        flock(fd, LOCK_EX);
        other.path = path_of("another.alive");
        iimg_liveness_find_dead(pool, &other, &dead);
        tap_is_number(dead->nelts, 0, "marks that are held are not dead");
        close(fd);
        unlink(path_of("held.alive"));
    }

    put("notes", "x");
    put(".alive", "x");
    put("x.alive.old", "x");
    tap_ok(symlink(path_of("notes"), path_of("link.alive")) == 0,
           "a symbolic link leads to another file");
    die("gone");
    iimg_liveness_find_dead(pool, own, &dead);
    if (tap_ok(dead->nelts == 1, "one mark is dead, other files are none")) {
        found = &APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t);
        tap_is(found->owner, "node/2/dead", "a dead mark names its owner");
        tap_is(found->path, path_of("gone.alive"), "a dead mark has its path");
        {
            apr_array_header_t *again;

            iimg_liveness_find_dead(pool, own, &again);
            tap_is_number(again->nelts, 0, "a dead mark is found by one finder at a time");
        }
        iimg_liveness_close_dead(found, false);
        tap_ok(there("gone.alive"), "a mark whose jobs are not released stays");
        iimg_liveness_find_dead(pool, own, &dead);
        tap_is_number(dead->nelts, 1, "a mark that stayed is found again");
        iimg_liveness_close_dead(&APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t), true);
        tap_ok(!there("gone.alive"), "a mark whose jobs are released is removed");
    }

    memset(letters, 'o', 600);
    for (int length = 512; length <= 513; length++) {
        put("long.alive", letters + 600 - length);
        iimg_liveness_find_dead(pool, own, &dead);
        tap_is_number(strlen(APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t).owner), 512,
                      "an owner of %d bytes: 512 are read", length);
        iimg_liveness_close_dead(&APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t), true);
    }
    put("empty.alive", "");
    iimg_liveness_find_dead(pool, own, &dead);
    tap_is(APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t).owner, "", "an empty mark: no owner");
    iimg_liveness_close_dead(&APR_ARRAY_IDX(dead, 0, iimg_liveness_dead_t), true);

    mkdir(path_of("taken.alive"), 0700);
    tap_ok(!iimg_liveness_register(pool, dir, "o", "taken") && !there("taken.new"),
           "a name that is taken by a folder: no mark, and no rest of one");
    rmdir(path_of("taken.alive"));
    iimg_liveness_unregister(own);
    tap_ok(!there("own.alive"), "a process that ends takes its mark away");
    unlink(path_of("notes"));
    unlink(path_of(".alive"));
    unlink(path_of("x.alive.old"));
    unlink(path_of("link.alive"));
    tap_is_number(rmdir(dir), 0, "nothing else is left in the folder");
    work_end(context);
    return tap_done();
}
