/* spool_test.c - files without names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/spool.h"
#include "tap.h"
#include "work.h"

static int names_in(const char *dir)
{
    DIR *folder = opendir(dir);
    int count = 0;

    while (folder && readdir(folder)) {
        count++;
    }
    if (folder) {
        closedir(folder);
    }
    return count - 2; /* . and .. */
}

static void test_spool(apr_pool_t *parent, const char *dir, const char *where)
{
    apr_pool_t *pool, *longer;
    char buffer[16] = "";
    const char *map;
    int error = 0;
    iimg_spool_t *spool;

    apr_pool_create(&pool, parent);
    apr_pool_create(&longer, parent);
    spool = iimg_spool_create(pool, dir, &error);
    if (!tap_ok(spool != NULL, "%s: there is a spool", where)) {
        return;
    }
    tap_is(iimg_spool_map(longer, spool), "", "an empty one is empty memory");
    tap_ok(iimg_spool_write(spool, "hello ", 6) && iimg_spool_write(spool, "world", 5)
               && spool->length == 11,
           "it is written to");
    tap_ok(iimg_spool_read(spool, 6, buffer, 16) == 5 && strcmp(buffer, "world") == 0,
           "and read from, as far as it goes");
    tap_is_number(iimg_spool_read(spool, 11, buffer, 16), 0, "nothing is behind its end");
    map = iimg_spool_map(longer, spool);
    tap_ok(dir == NULL || names_in(dir) == 0, "it has no name");
    apr_pool_destroy(pool);
    tap_ok(map && memcmp(map, "hello world", 11) == 0, "what is mapped stays");
    apr_pool_destroy(longer);
}

static void test_large(apr_pool_t *parent, const char *dir)
{
    apr_size_t size = IIMG_SPOOL_MEMORY + 1;
    char *bytes = apr_palloc(parent, size), *back = apr_palloc(parent, size);
    apr_pool_t *pool;
    iimg_spool_t *spool;
    int error = 0, fd;

    memset(bytes, 'a', size);
    bytes[size - 1] = 'z';
    apr_pool_create(&pool, parent);
    spool = iimg_spool_create(pool, dir, &error);
    tap_ok(iimg_spool_write(spool, bytes, size - 1) && spool->fd < 0, "a little stays in memory");
    tap_ok(iimg_spool_write(spool, bytes + size - 1, 1) && spool->fd >= 0,
           "one byte more, and all is in a file");
    tap_ok(iimg_spool_read(spool, 0, back, size) == size && memcmp(back, bytes, size) == 0,
           "nothing got lost on the way");
    tap_ok(dir == NULL || names_in(dir) == 0, "it has no name");
    fd = spool->fd;
    apr_pool_destroy(pool);
    tap_ok(lseek(fd, 0, SEEK_SET) == -1 && errno == EBADF, "it is closed with its pool");
}

static void test_kept(apr_pool_t *parent, const char *dir)
{
    const char *path = apr_pstrcat(parent, dir, "/kept", NULL);
    char buffer[16] = "";
    apr_pool_t *pool;
    iimg_spool_t *spool;
    int error = 0;

    apr_pool_create(&pool, parent);
    spool = iimg_spool_create(pool, dir, &error);
    iimg_spool_write(spool, "dear bytes", 10);
    tap_is_number(iimg_spool_keep(pool, spool, path), 0, "a spool gets a name");
    tap_is_number(iimg_spool_flush(spool), 0, "and is written to the disk");
    apr_pool_destroy(pool);
    spool = iimg_spool_open(parent, path, &error);
    tap_ok(spool && spool->length == 10 && iimg_spool_read(spool, 0, buffer, 16) == 10
               && strcmp(buffer, "dear bytes") == 0,
           "by which it is found when it has ended");
    spool = iimg_spool_create(parent, dir, &error);
    iimg_spool_write(spool, "others", 6);
    tap_is_number(iimg_spool_keep(parent, spool, path), 0, "a name may be taken over");
    tap_is_number(names_in(dir), 1, "then there is one file");
    spool = iimg_spool_open(parent, path, &error);
    tap_ok(spool && spool->length == 6, "the later one");
    unlink(path);
    tap_ok(!iimg_spool_open(parent, path, &error) && error == ENOENT, "what is not there is told");
    spool = iimg_spool_create(parent, dir, &error);
    iimg_spool_write(spool, "x", 1);
    tap_is_number(iimg_spool_keep(parent, spool, "/nowhere/at/all"), ENOENT,
                  "so is a name that cannot be given");
}

static void test_linked(apr_pool_t *pool, const char *dir)
{
    const char *path = apr_pstrcat(pool, dir, "/linked", NULL);
    char *bytes = apr_pcalloc(pool, IIMG_SPOOL_MEMORY + 1), byte = 'x';
    int error = 0, fd;
    iimg_spool_t *spool = iimg_spool_create(pool, dir, &error);

    iimg_spool_write(spool, "x", 1);
    tap_is_number(iimg_spool_link(pool, spool, path), EBADF,
                  "what is in memory has no file to link");
    tap_is_number(iimg_spool_share(pool, spool), -1, "nor one to share");
    iimg_spool_write(spool, bytes, IIMG_SPOOL_MEMORY);
    tap_is_number(iimg_spool_link(pool, spool, path), 0, "a file is given a name elsewhere");
    tap_is_number(iimg_spool_link(pool, spool, path), EEXIST, "but no name that is taken");
    tap_ok(iimg_spool_link(pool, spool, "/proc/linked") != 0, "nor one in another file system");
    fd = iimg_spool_share(pool, spool);
    tap_ok(fd >= 0 && pread(fd, &byte, 1, 0) == 1 && byte == 'x', "who shares it reads it");
    tap_ok(pwrite(fd, "y", 1, 0) == -1 && errno == EBADF, "and cannot write to it");
    close(fd);
    unlink(path);
    tap_is_number(iimg_spool_link(pool, spool, path), ENOENT,
                  "a name that is gone is not given again");
}

static void test_trouble(apr_pool_t *pool)
{
    iimg_spool_t full = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };
    int error = 0;

    tap_ok(!iimg_spool_create(pool, "/nowhere/at/all", &error) && error == ENOENT,
           "a folder that is not there is told");
    tap_ok(!iimg_spool_write(&full, "x", 1) && full.error == ENOSPC && full.length == 0,
           "so is a disk without room");
    close(full.fd);
}

/* Memory grows by doubling, and a file is read and copied in pieces. */
static void test_sizes(apr_pool_t *parent, const char *dir)
{
    static const apr_size_t sizes[] = { 1,
                                        4095,
                                        4096,
                                        4097,
                                        8192,
                                        8193,
                                        32768,
                                        32769,
                                        70000,
                                        IIMG_SPOOL_MEMORY,
                                        IIMG_SPOOL_MEMORY + 1,
                                        200000 };
    const char *path = apr_pstrcat(parent, dir, "/copy", NULL);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *bytes = apr_palloc(parent, sizes[i]), *back = apr_palloc(parent, sizes[i] + 1);
        iimg_spool_t *spool;
        apr_size_t at = 0;
        int error, fd;

        for (apr_size_t k = 0; k < sizes[i]; k++) {
            bytes[k] = (char)('a' + k % 23);
        }
        spool = iimg_spool_create(parent, dir, &error);
        while (at < sizes[i]) {
            apr_size_t n = sizes[i] - at < 1000 ? sizes[i] - at : 1000;

            if (!iimg_spool_write(spool, bytes + at, n)) {
                break;
            }
            at += n;
        }
        tap_ok(spool->length == sizes[i] && (spool->fd >= 0) == (sizes[i] > IIMG_SPOOL_MEMORY),
               "%" APR_SIZE_T_FMT " bytes: in a file or in memory", sizes[i]);
        tap_ok(iimg_spool_read(spool, 0, back, sizes[i] + 1) == sizes[i]
                   && memcmp(back, bytes, sizes[i]) == 0,
               "%" APR_SIZE_T_FMT " bytes: read whole", sizes[i]);
        tap_ok(iimg_spool_read(spool, sizes[i] - 1, back, 9) == 1 && *back == bytes[sizes[i] - 1]
                   && iimg_spool_read(spool, sizes[i] + 1, back, 9) == 0,
               "%" APR_SIZE_T_FMT " bytes: the last one, and none behind it", sizes[i]);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        tap_ok(iimg_spool_copy(spool, fd) == 0 && lseek(fd, 0, SEEK_END) == (off_t)sizes[i]
                   && pread(fd, back, sizes[i], 0) == (ssize_t)sizes[i]
                   && memcmp(back, bytes, sizes[i]) == 0,
               "%" APR_SIZE_T_FMT " bytes: copied whole", sizes[i]);
        close(fd);
        fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        tap_is_number(iimg_spool_copy(spool, fd), ENOSPC, "a copy without room fails");
        close(fd);
    }
    unlink(path);
}

/* Names that are no plain files, and spools that have been moved. */
static void test_ends(apr_pool_t *parent, const char *dir)
{
    const char *path = apr_pstrcat(parent, dir, "/link", NULL);
    iimg_spool_t *spool, *moved;
    char buffer[8] = "";
    int error = 0;

    symlink("/etc/passwd", path);
    tap_ok(!iimg_spool_open(parent, path, &error) && error == ELOOP,
           "a symbolic link is not opened");
    unlink(path);
    spool = iimg_spool_create(parent, NULL, &error);
    iimg_spool_write(spool, "abc", 3);
    moved = iimg_spool_move(parent, spool);
    tap_ok(moved->length == 3 && iimg_spool_read(moved, 0, buffer, 8) == 3
               && strcmp(buffer, "abc") == 0,
           "a spool that was moved has the bytes");
    tap_ok(spool->length == 0 && !spool->memory && spool->fd == -1,
           "a spool that was moved from has nothing");
    tap_ok(iimg_spool_write(spool, "x", 1) && spool->length == 1, "it can be written to again");
    {
        iimg_spool_t broken = { .fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };

        tap_is_number(iimg_spool_flush(&broken), EINVAL, "a file that cannot be flushed fails");
        close(broken.fd);
        broken.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        broken.length = 5;
        tap_is_number(iimg_spool_copy(&broken, broken.fd), EIO,
                      "a file that is shorter than it should be is not copied");
        close(broken.fd);
    }
}

int main(void)
{
    char dir[] = "/tmp/iimg-spool-test.XXXXXX";
    iimg_context_t *context = work_begin();

    tap_ok(mkdtemp(dir) != NULL, "there is a folder");
    test_spool(context->pool, NULL, "in memory");
    test_spool(context->pool, dir, "in a folder");
    test_large(context->pool, NULL);
    test_large(context->pool, dir);
    test_kept(context->pool, dir);
    test_linked(context->pool, dir);
    test_sizes(context->pool, dir);
    test_ends(context->pool, dir);
    test_trouble(context->pool);
    rmdir(dir);
    work_end(context);
    return tap_done();
}
