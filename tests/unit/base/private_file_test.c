/* private_file_test.c - base/private_file.c: which files of secrets are read, to the byte and the
 * bit. */
#include "base/private_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

static iimg_context_t *work;
static const char *path;

static void spew(const char *text, size_t length, int mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    (void)!write(fd, text, length);
    fchmod(fd, (mode_t)mode);
    close(fd);
}

static void modes(void)
{
    for (int bit = 0; bit < 9; bit++) {
        int mode = 0400 | 1 << bit;
        bool refused = (mode & 066) != 0;
        const char *text = NULL, *problem;

        spew("secret\n", 7, mode);
        problem = iimg_private_file_read(work->pool, path, &text);
        tap_ok((problem != NULL) == refused, "a private file of mode %03o is %s", mode,
               refused ? "refused" : "read");
        tap_ok(refused ? text == NULL : text && strcmp(text, "secret\n") == 0, "... its text %s",
               refused ? "stays unknown" : "is known");
        text = NULL;
        tap_ok(!iimg_public_file_read(work->pool, path, &text) && strcmp(text, "secret\n") == 0,
               "... a public one is read");
    }
}

static void texts(void)
{
    const char *text = NULL;
    char *large = apr_pcalloc(work->pool, 5000);

    memset(large, 'x', 4095);
    spew(large, 4094, 0600);
    tap_ok(!iimg_private_file_read(work->pool, path, &text) && strlen(text) == 4094,
           "a file of 4094 bytes is read");
    text = NULL;
    spew(large, 4095, 0600);
    tap_ok(iimg_private_file_read(work->pool, path, &text) && !text,
           "a file of 4095 bytes is too large");
    spew("", 0, 0600);
    tap_ok(!iimg_private_file_read(work->pool, path, &text) && text && !*text,
           "an empty file is read");
    text = NULL;
    spew("a\0b", 3, 0600);
    tap_ok(iimg_private_file_read(work->pool, path, &text) && !text,
           "a file with a NUL is refused");
    unlink(path);
    tap_ok(iimg_private_file_read(work->pool, path, &text) && !text, "a missing file is reported");
    mkdir(path, 0700);
    tap_ok(iimg_private_file_read(work->pool, path, &text) && !text, "a directory is refused");
    rmdir(path);
}

int main(void)
{
    char folder[] = "/tmp/iimg-private-test.XXXXXX";

    work = work_begin();
    if (tap_ok(mkdtemp(folder) != NULL, "a folder is created")) {
        path = apr_pstrcat(work->pool, folder, "/secret", NULL);
        modes();
        texts();
        rmdir(folder);
    }
    work_end(work);
    return tap_done();
}
