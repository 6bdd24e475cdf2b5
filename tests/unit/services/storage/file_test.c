/*
 * file_test.c - services/storage/file*.c: where objects lie, what a deletion takes with it
 * and what it leaves, and which files of a directory are listed as objects.
 */
#include "services/storage/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

#define ONE "5a000000-0000-4000-8000-000000000001"
#define TWO "5a000000-0000-4000-8000-000000000002"

static iimg_context_t *work;
static iimg_storage_t storage = { .driver = &iimg_storage_file };

static const char *path_of(const char *place)
{
    return apr_pstrcat(work->pool, storage.root, "/", place, NULL);
}

static bool is_there(const char *place)
{
    struct stat info;

    return lstat(path_of(place), &info) == 0;
}

static void make_parents(const char *place)
{
    char *path = apr_pstrdup(work->pool, path_of(place));

    for (char *slash = strchr(path + strlen(storage.root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void spew(const char *place)
{
    int fd;

    make_parents(place);
    fd = open(path_of(place), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)!write(fd, "x", 1);
    close(fd);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void clear(void)
{
    nftw(storage.root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mkdir(storage.root, 0700);
}

static iimg_error_t *note(iimg_context_t *context, void *baton, const iimg_listed_t *object)
{
    apr_array_header_t *keys = baton;

    (void)context;
    APR_ARRAY_PUSH(keys, const char *) = apr_pstrcat(
        keys->pool, object->key, object->latest ? "" : " earlier",
        object->deleted ? " deleted" : "", object->length == 1 ? "" : " long", NULL);
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *listed(void)
{
    apr_array_header_t *keys = apr_array_make(work->pool, 8, sizeof(const char *));

    if (storage.driver->list(work, &storage, note, keys)) {
        return "failed";
    }
    qsort(keys->elts, (size_t)keys->nelts, sizeof(const char *), by_text);
    return apr_array_pstrcat(work->pool, keys, ' ');
}

static void placing(void)
{
    iimg_object_t objects[] = {
        { "media/" ONE "/a.jpg", "image/jpeg", "original", 8, NULL },
        { "media/" ONE "/__sized__/a-thumbnail-100x100.jpg", "image/jpeg", "small", 5, NULL },
        { "generated_images/" TWO ".png", "image/png", "", 0, NULL },
    };
    const char *data;
    apr_size_t length;
    struct stat info;
    bool there = false;
    iimg_error_t *err;

    clear();
    tap_ok(!storage.driver->put(work, &storage, objects, 3), "objects are written");
    tap_ok(is_there("media/5a/00/" ONE "/a.jpg") && is_there("generated_images/5a/00/" TWO ".png")
               && is_there("media/5a/00/" ONE "/__sized__/a-thumbnail-100x100.jpg"),
           "objects are stored in fan-out directories");
    tap_ok(!is_there("media/5a/00/" ONE "/a.jpg~"), "no temporary file is left");
    stat(path_of("media/5a/00/" ONE "/a.jpg"), &info);
    tap_is_number(info.st_mode & 0777, 0600, "files are readable by their owner only");
    stat(path_of("media/5a/00/" ONE), &info);
    tap_is_number(info.st_mode & 0777, 0700, "directories are accessible by their owner only");
    tap_ok(!storage.driver->get(work, &storage, objects[0].key, 8, &data, &length) && length == 8
               && strcmp(data, "original") == 0,
           "an object as large as allowed is read");
    err = storage.driver->get(work, &storage, objects[0].key, 7, &data, &length);
    tap_ok(err && err->kind == IIMG_TOO_LARGE,
           "an object that is a byte larger than allowed is not read");
    tap_ok(!storage.driver->get(work, &storage, objects[2].key, 0, &data, &length) && length == 0,
           "an empty one is");
    err = storage.driver->get(work, &storage, "media/" TWO "/a.jpg", 8, &data, &length);
    tap_ok(err && err->kind == IIMG_NOT_FOUND, "a missing object is not found");
    tap_ok(!storage.driver->has(work, &storage, objects[1].key, &there) && there,
           "an object is there");
    there = true;
    tap_ok(!storage.driver->has(work, &storage, "media/" ONE "/b.jpg", &there) && !there,
           "a missing object does not exist");
    there = true;
    tap_ok(!storage.driver->has(work, &storage, "media/" ONE "/a.jpg/b.jpg", &there) && !there,
           "a key below a file does not exist");
    there = true;
    tap_ok(!storage.driver->has(work, &storage, "media/" ONE "/__sized__", &there) && !there,
           "a directory is no object");
    tap_ok(symlink("/etc/passwd", path_of("media/5a/00/" ONE "/l.jpg")) == 0,
           "a symbolic link lies among the pictures");
    there = true;
    tap_ok(!storage.driver->has(work, &storage, "media/" ONE "/l.jpg", &there) && !there,
           "a symbolic link is no object");
    tap_ok(storage.driver->get(work, &storage, "media/" ONE "/l.jpg", 100000, &data, &length)
               != NULL,
           "a symbolic link is not followed");
    spew("media/5a/00/" ONE "/c.jpg~");
    objects[0].key = "media/" ONE "/c.jpg";
    tap_ok(storage.driver->put(work, &storage, objects, 1) != NULL,
           "a file that is being written is not written to");
    tap_ok(is_there("media/5a/00/" ONE "/c.jpg~"), "an existing temporary file is not removed");
    objects[1].key = "media/" ONE "/c.jpg";
    objects[0].key = "media/" ONE "/d.jpg";
    tap_ok(storage.driver->put(work, &storage, objects, 2) != NULL,
           "writing fails if the second of two objects cannot be written");
    tap_ok(!is_there("media/5a/00/" ONE "/d.jpg") && !is_there("media/5a/00/" ONE "/d.jpg~"),
           "the first of two objects is removed");
}

static void removing(void)
{
    clear();
    spew("media/5a/00/" ONE "/a.jpg");
    spew("media/5a/00/" ONE "/a.jpg~");
    spew("media/5a/00/" ONE "/ab.jpg");
    spew("media/5a/00/" ONE "/__sized__/a-thumbnail-100x100.jpg");
    spew("media/5a/00/" TWO "/a.jpg");
    spew("generated_images/5a/00/" ONE ".png");
    tap_ok(!storage.driver->remove(work, &storage, "media/" ONE "/a.jpg", false),
           "an object is deleted");
    tap_ok(!is_there("media/5a/00/" ONE "/a.jpg") && !is_there("media/5a/00/" ONE "/a.jpg~"),
           "its temporary file is removed, too");
    tap_is(listed(),
           "generated_images/" ONE ".png media/" ONE "/__sized__/a-thumbnail-100x100.jpg"
           " media/" ONE "/ab.jpg media/" TWO "/a.jpg",
           "other objects stay");
    tap_ok(!storage.driver->remove(work, &storage, "media/" ONE "/a.jpg", true),
           "once more is nothing");
    tap_ok(!storage.driver->remove(work, &storage,
                                   "media/" ONE "/__sized__/a-thumbnail-100x100.jpg", false)
               && !is_there("media/5a/00/" ONE "/__sized__"),
           "a directory goes with its last file");
    tap_ok(is_there("media/5a/00/" ONE "/ab.jpg"), "a directory with other objects stays");
    tap_ok(!storage.driver->purge(work, &storage, "media/" ONE "/ab.jpg", NULL)
               && !is_there("media/5a/00/" ONE),
           "an empty directory is removed");
    tap_ok(is_there("media/5a/00/" TWO "/a.jpg"), "another picture stays");
    tap_ok(!storage.driver->remove(work, &storage, "media/" TWO "/a.jpg", false)
               && is_there("media/5a/00"),
           "the directories above pictures stay");
    tap_ok(!storage.driver->remove(work, &storage, "generated_images/" ONE ".png", false)
               && is_there("generated_images/5a/00"),
           "missing directories above are handled");
    mkdir(path_of("media/5a/00/" ONE), 0700);
    mkdir(path_of("media/5a/00/" ONE "/a.jpg"), 0700);
    tap_ok(storage.driver->remove(work, &storage, "media/" ONE "/a.jpg", false) != NULL,
           "a failed deletion is an error");
}

static void listing(void)
{
    clear();
    tap_is(listed(), "", "a store without places has no objects");
    spew("media/5a/00/" ONE "/a.jpg");
    spew("media/5a/00/" ONE "/__sized__/a.jpg");
    spew("media/5a/00/" ONE "/__sized__/deeper/a.jpg");
    spew("media/5a/00/" ONE ".tmp");
    spew("media/5a/01/" ONE "/a.jpg");
    spew("media/5b/00/" ONE "/a.jpg");
    spew("media/" ONE "/a.jpg");
    spew("media/README");
    spew("media/5a/00/notes");
    spew("media/5a/00/5a000000-0000-4000-8000-00000000000/a.jpg");
    spew("generated_images/5a/00/" TWO ".png");
    spew("generated_images/5a/00/" TWO);
    spew("elsewhere/5a/00/" TWO ".png");
    spew(IIMG_STORE_MARKER);
    tap_ok(symlink("/etc/passwd", path_of("media/5a/00/" ONE "/l.jpg")) == 0,
           "a symbolic link lies among the pictures");
    tap_is(listed(),
           "generated_images/" TWO " generated_images/" TWO ".png media/" ONE ".tmp media/" ONE
           "/__sized__/a.jpg media/" ONE "/a.jpg",
           "objects are files where a key has its place");
}

static void marking(void)
{
    const char *text = "";
    struct stat info;
    iimg_error_t *err;
    char *large = apr_pcalloc(work->pool, IIMG_STORE_MARKER_MAX + 2);

    clear();
    tap_ok(!storage.driver->read_marker(work, &storage, &text) && !text,
           "a new store has no marker");
    if (geteuid() == 0) {
        (void)!chown(storage.root, 12345, 12346); /* the tool runs as root, httpd as another user */
    }
    tap_ok(!storage.driver->write_marker(work, &storage, "one"), "the marker is written");
    tap_ok(!storage.driver->write_marker(work, &storage, "two"),
           "writing the marker again is no error");
    tap_ok(!storage.driver->read_marker(work, &storage, &text), "the marker is read");
    tap_is(text, "one", "the first marker stays");
    stat(path_of(IIMG_STORE_MARKER), &info);
    tap_ok(info.st_uid == (geteuid() == 0 ? 12345 : geteuid()),
           "the marker belongs to the directory's owner");
    tap_is_number(info.st_nlink, 1, "no temporary name of the marker is left");
    unlink(path_of(IIMG_STORE_MARKER));
    memset(large, 'x', IIMG_STORE_MARKER_MAX);
    storage.driver->write_marker(work, &storage, large);
    tap_ok(!storage.driver->read_marker(work, &storage, &text) && strcmp(text, large) == 0,
           "a marker of the maximum length is read");
    unlink(path_of(IIMG_STORE_MARKER));
    large[IIMG_STORE_MARKER_MAX] = 'x';
    storage.driver->write_marker(work, &storage, large);
    err = storage.driver->read_marker(work, &storage, &text);
    tap_ok(err && err->kind == IIMG_TOO_LARGE, "a longer one is not");
}

/* Which failures are of one object, and which of the store. */
static void troubles(void)
{
    static const struct {
        int code;
        bool one;
    } rows[] = { { EACCES, true },  { ENOTEMPTY, true },  { EISDIR, true },    { ENOSPC, true },
                 { EIO, false },    { EROFS, false },     { ESTALE, false },   { ENOTCONN, false },
                 { ENODEV, false }, { ETIMEDOUT, false }, { EHOSTDOWN, false } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err = iimg_file_error(work, "deleting", "x", rows[i].code);

        tap_ok(err->one_object == rows[i].one && err->kind == IIMG_UNAVAILABLE, "%s concerns %s",
               strerror(rows[i].code), rows[i].one ? "one object" : "all");
        tap_ok((strstr(err->message, "full") != NULL) == (rows[i].code == ENOSPC),
               "the error has the sentence for its cause");
    }
}

static void checking(void)
{
    const char *root = storage.root;

    tap_ok(!storage.driver->check(work->pool, &storage), "a directory is a store");
    tap_is(storage.driver->ready(work, &storage), NULL, "a writable directory is ready");
    storage.root = path_of("nowhere");
    tap_ok(storage.driver->ready(work, &storage) != NULL, "a missing directory is not ready");
    storage.root = root;
    spew("file");
    storage.root = path_of("file");
    tap_ok(storage.driver->check(work->pool, &storage) != NULL, "a file is no valid root");
    storage.root = "tmp";
    tap_ok(storage.driver->check(work->pool, &storage) != NULL, "a relative path is no valid root");
    storage.root = NULL;
    tap_ok(storage.driver->check(work->pool, &storage) != NULL, "no root is not valid");
    storage.root = root;
}

int main(void)
{
    char root[] = "/tmp/iimg-store-test.XXXXXX";

    work = work_begin();
    if (tap_ok(mkdtemp(root) != NULL, "there is a directory")) {
        storage.root = root;
        placing();
        removing();
        listing();
        marking();
        troubles();
        checking();
        clear();
        rmdir(root);
    }
    work_end(work);
    return tap_done();
}
