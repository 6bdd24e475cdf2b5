/* spool_test.c - base/spool.c: memory, unnamed files, names. */
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
    tap_is(iimg_spool_map(longer, spool), "", "an empty spool maps to empty memory");
    tap_ok(iimg_spool_write(spool, "hello ", 6) && iimg_spool_write(spool, "world", 5)
               && spool->length == 11,
           "bytes are written");
    tap_ok(iimg_spool_read(spool, 6, buffer, 16) == 5 && strcmp(buffer, "world") == 0,
           "bytes are read up to the end");
    tap_is_number(iimg_spool_read(spool, 11, buffer, 16), 0, "a read at the end gives nothing");
    map = iimg_spool_map(longer, spool);
    tap_ok(dir == NULL || names_in(dir) == 0, "the file has no name");
    apr_pool_destroy(pool);
    tap_ok(map && memcmp(map, "hello world", 11) == 0, "a mapping outlives the spool");
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
    tap_ok(iimg_spool_write(spool, bytes, size - 1) && spool->fd < 0,
           "up to the limit, bytes stay in memory");
    tap_ok(iimg_spool_write(spool, bytes + size - 1, 1) && spool->fd >= 0,
           "one more byte moves all to a file");
    tap_ok(iimg_spool_read(spool, 0, back, size) == size && memcmp(back, bytes, size) == 0,
           "no byte is lost");
    tap_ok(dir == NULL || names_in(dir) == 0, "the file has no name");
    fd = spool->fd;
    apr_pool_destroy(pool);
    tap_ok(lseek(fd, 0, SEEK_SET) == -1 && errno == EBADF, "the file is closed with the pool");
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
    tap_is_number(iimg_spool_flush(spool), 0, "a kept spool is flushed");
    apr_pool_destroy(pool);
    spool = iimg_spool_open(parent, path, &error);
    tap_ok(spool && spool->length == 10 && iimg_spool_read(spool, 0, buffer, 16) == 10
               && strcmp(buffer, "dear bytes") == 0,
           "a kept spool is opened by name");
    spool = iimg_spool_create(parent, dir, &error);
    iimg_spool_write(spool, "others", 6);
    tap_is_number(iimg_spool_keep(parent, spool, path), 0, "a kept spool replaces a file");
    tap_is_number(names_in(dir), 1, "one file remains");
    spool = iimg_spool_open(parent, path, &error);
    tap_ok(spool && spool->length == 6, "it is the later one");
    unlink(path);
    tap_ok(!iimg_spool_open(parent, path, &error) && error == ENOENT, "a missing file is reported");
    spool = iimg_spool_create(parent, dir, &error);
    iimg_spool_write(spool, "x", 1);
    tap_is_number(iimg_spool_keep(parent, spool, "/nowhere/at/all"), ENOENT,
                  "an impossible name is reported");
}

static void test_linked(apr_pool_t *pool, const char *dir)
{
    const char *path = apr_pstrcat(pool, dir, "/linked", NULL);
    char *bytes = apr_pcalloc(pool, IIMG_SPOOL_MEMORY + 1), byte = 'x';
    int error = 0, fd;
    iimg_spool_t *spool = iimg_spool_create(pool, dir, &error);

    iimg_spool_write(spool, "x", 1);
    tap_is_number(iimg_spool_link(pool, spool, path), EBADF, "a spool in memory cannot be linked");
    tap_is_number(iimg_spool_share(pool, spool), -1, "a spool in memory cannot be shared");
    iimg_spool_write(spool, bytes, IIMG_SPOOL_MEMORY);
    tap_is_number(iimg_spool_link(pool, spool, path), 0, "a file is linked into another directory");
    tap_is_number(iimg_spool_link(pool, spool, path), EEXIST, "an existing name is refused");
    tap_ok(iimg_spool_link(pool, spool, "/proc/linked") != 0, "another file system is refused");
    fd = iimg_spool_share(pool, spool);
    tap_ok(fd >= 0 && pread(fd, &byte, 1, 0) == 1 && byte == 'x', "a shared descriptor reads");
    tap_ok(pwrite(fd, "y", 1, 0) == -1 && errno == EBADF, "a shared descriptor cannot write");
    close(fd);
    unlink(path);
    tap_is_number(iimg_spool_link(pool, spool, path), ENOENT, "a deleted file is not linked again");
}

static void test_trouble(apr_pool_t *pool)
{
    iimg_spool_t full = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };
    int error = 0;

    tap_ok(!iimg_spool_create(pool, "/nowhere/at/all", &error) && error == ENOENT,
           "a missing folder is reported");
    tap_ok(!iimg_spool_write(&full, "x", 1) && full.error == ENOSPC && full.length == 0,
           "a full disk is reported");
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

    tap_ok(symlink("/etc/passwd", path) == 0, "a symbolic link has the name of a spool");
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

    tap_ok(mkdtemp(dir) != NULL, "a folder is created");
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
