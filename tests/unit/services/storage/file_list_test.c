/* file_list_test.c - services/storage/file_list.c: which errors concern the whole store, and which
 * files are objects. */
#include "services/storage/file_list.c"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

#define ID "abcd0d0c-0b0a-4908-8706-050403020100"

static iimg_context_t *context;
static char root[] = "/tmp/iimg-list.XXXXXX";
static const char *seen;
static int fails_after;

static iimg_error_t *visit(iimg_context_t *of, void *baton, const iimg_listed_t *object)
{
    (void)of, (void)baton;
    if (fails_after-- == 0) {
        return iimg_error(context->pool, IIMG_UNAVAILABLE, "enough");
    }
    seen = apr_psprintf(context->pool, "%s%s %ld%s%s", seen, object->key, (long)object->length,
                        object->latest ? "" : " earlier", object->deleted ? " deleted" : "");
    return NULL;
}

/* Makes a file of three bytes and the folders above it. */
static void put(const char *path)
{
    char *copy = apr_pstrcat(context->pool, root, "/", path, NULL);
    int fd;

    for (char *slash = strchr(copy + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    fd = open(copy, O_CREAT | O_WRONLY, 0600);
    (void)!write(fd, "abc", 3);
    close(fd);
}

static void test_troubles(void)
{
    static const struct {
        int code;
        bool all;
    } codes[] = {
        { EIO, true },     { EROFS, true },     { ESTALE, true },    { ENOTCONN, true },
        { ENODEV, true },  { ETIMEDOUT, true }, { EHOSTDOWN, true }, { EACCES, false },
        { ENOSPC, false }, { EDQUOT, false },   { ENOENT, false },   { EPERM, false },
        { EISDIR, false },
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        iimg_error_t *err = iimg_file_error(context, "reading", "/x", codes[i].code);
        bool full = codes[i].code == ENOSPC || codes[i].code == EDQUOT;

        tap_ok(err->one_object == !codes[i].all, "error %d concerns %s", codes[i].code,
               codes[i].all ? "the store" : "one file");
        tap_ok((strstr(err->message, "full") != NULL) == full, "error %d: full or not",
               codes[i].code);
        tap_is(err->detail, apr_psprintf(context->pool, "reading /x: %s", strerror(codes[i].code)),
               "error %d: its words", codes[i].code);
        tap_ok(err->kind == IIMG_UNAVAILABLE && strcmp(err->code, "store_down") == 0,
               "error %d: the store is not available", codes[i].code);
    }
}

static void test_list(const iimg_storage_t *storage)
{
    static const struct {
        const char *path, *seen;
    } files[] = {
        { "media/ab/cd/" ID "/me.jpg", "media/" ID "/me.jpg 3" },
        { "media/ab/cd/" ID "/__sized__/me.jpg", "media/" ID "/__sized__/me.jpg 3" },
        { "generated_images/ab/cd/" ID ".png", "generated_images/" ID ".png 3" },
        { "media/ab/ce/" ID "/me.jpg", "" },
        { "media/ac/cd/" ID "/me.jpg", "" },
        { "media/ab/cd/xyz/me.jpg", "" },
        { "media/ab/cd/short", "" },
        { "media/ab/cd/" ID "/a/b/me.jpg", "" },
        { "other/ab/cd/" ID "/me.jpg", "" },
        { ".identityimg-store", "" },
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = apr_pstrcat(context->pool, root, "/", files[i].path, NULL);
        iimg_error_t *err;

        put(files[i].path);
        seen = "";
        fails_after = -1;
        err = iimg_file_list(context, storage, visit, NULL);
        tap_ok(!err && strcmp(seen, files[i].seen) == 0, "%s is listed as \"%s\"", files[i].path,
               seen);
        unlink(path);
    }
    put(files[0].path);
    put(files[2].path);
    tap_ok(symlink("/etc/passwd",
                   apr_pstrcat(context->pool, root, "/media/ab/cd/" ID "/link.jpg", NULL))
               == 0,
           "a symbolic link lies among the pictures");
    seen = "";
    fails_after = -1;
    (void)iimg_file_list(context, storage, visit, NULL);
    tap_ok(strstr(seen, "link") == NULL && strstr(seen, "me.jpg"), "a link is no object");
    fails_after = 0;
    seen = "";
    tap_ok(iimg_file_list(context, storage, visit, NULL) != NULL && !*seen && fails_after == -1,
           "a visit that fails ends the listing");
}

int main(void)
{
    iimg_storage_t storage = { .root = root };

    context = work_begin();
    if (!tap_ok(mkdtemp(root) != NULL, "a store is made")) {
        return tap_done();
    }
    test_troubles();
    tap_ok(!iimg_file_list(context, &storage, visit, NULL), "an empty store is listed");
    test_list(&storage);
    tap_is(iimg_file_path(context->pool, &storage, "media/" ID "/x"),
           apr_pstrcat(context->pool, root, "/media/ab/cd/" ID "/x", NULL), "where a key is");
    tap_is_number(system(apr_pstrcat(context->pool, "rm -r ", root, NULL)), 0, "the store is gone");
    work_end(context);
    return tap_done();
}
