/* key_test.c - which texts are keys of objects, and what keys are made of. */
#include "services/pictures/key.h"

#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "tap.h"

#define UUID "00000000-0000-4000-8000-00000000000a"
#define KEY  "media/" UUID "/me.jpg"

static apr_pool_t *pool;

static void validity(void)
{
    static const struct {
        const char *key;
        bool valid;
    } rows[] = {
        { KEY, true },
        { "generated_images/" UUID ".png", true },
        { "media/" UUID "/__sized__/me-thumbnail-100x100.jpg", true },
        { "media/" UUID "/me.jpg/", false },
        { "media/" UUID "/../me.jpg", false },
        { "media/" UUID "/me", false },
        { "media/" UUID "/a.b.jpg", false },
        { "media/" UUID "/.jpg", false },
        { "media/" UUID "/ME.jpg", false },
        { "media/" UUID "/me.jpg~x", false },
        { "media/" UUID "/__sized__/../me.jpg", false },
        { "media/" UUID, false },
        { "media/", false },
        { "media/0/me.jpg", false },
        { "", false },
        { "/etc/passwd", false },
        { "generated_images/x.png", false },
        { "generated_images/" UUID "/x.png", false },
        { "media/" UUID "/me.jpgjpgjpg", false },
        { "/" KEY, false },
        { " " KEY, false },
        { KEY " ", false },
        { "media//" UUID "/me.jpg", false },
        { "Media/" UUID "/me.jpg", false },
        { "pictures/" UUID "/me.jpg", false },
        { "media/" UUID "/me.", false },
        { "media/" UUID "/__sized__/me.jpg/x.jpg", false },
        { "media/" UUID "/m%65.jpg", false },
        { "media/00000000-0000-4000-8000-00000000000A/me.jpg", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(iimg_key_is_valid(rows[i].key) == rows[i].valid, "\"%s\" is %s key", rows[i].key,
               rows[i].valid ? "a" : "no");
    }
}

static void parts(void)
{
    const char *generated = iimg_key_generated(pool, UUID, "png");

    tap_ok(!iimg_key_is_valid(KEY "\n"), "a key with a line end is no key");
    tap_is(iimg_key_original(pool, UUID, "me", "jpg"), KEY, "an original's key");
    tap_is(generated, "generated_images/" UUID ".png", "a generated picture's key");
    tap_is(iimg_key_sized(pool, KEY, IIMG_LARGE, "png"),
           "media/" UUID "/__sized__/me-thumbnail-600x600.png", "a derivative's key");
    tap_is(iimg_key_uuid(pool, KEY), UUID, "the uuid in a key");
    tap_is(iimg_key_uuid(pool, generated), UUID, "the uuid in a generated picture's key");
    tap_is(iimg_key_extension(KEY), "jpg", "the extension of a key");
    tap_is(iimg_key_extension(generated), "png", "the extension of a generated picture's key");
}

/* COUNT letters. */
static const char *letters(int count)
{
    char *text = apr_palloc(pool, (apr_size_t)count + 1);

    memset(text, 'n', (size_t)count);
    text[count] = '\0';
    return text;
}

static void lengths(void)
{
    static const char *const places[] = { "media/" UUID "/", "media/" UUID "/__sized__/" };
    static const struct {
        int name, extension;
        bool valid;
    } cases[] = {
        { 1, 1, true },  { 0, 3, false }, { 120, 3, true }, { 121, 3, false },
        { 9, 0, false }, { 9, 8, true },  { 9, 9, false },  { 120, 8, true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
            const char *key = apr_pstrcat(pool, places[place], letters(cases[i].name), ".",
                                          letters(cases[i].extension), NULL);

            tap_ok(iimg_key_is_valid(key) == cases[i].valid,
                   "a name of %d and an extension of %d characters are %s key", cases[i].name,
                   cases[i].extension, cases[i].valid ? "a" : "no");
        }
    }
}

static void own_keys_are_valid(void)
{
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        const char *key = iimg_key_sized(pool, KEY, (iimg_derivative_name_t)i, "png");

        tap_ok(iimg_key_is_valid(key), "the key of %s is a key", iimg_derivatives[i].member);
    }
    for (int i = 0; iimg_key_places[i]; i++) {
        const char *slash = strchr(iimg_key_places[i], '/');

        tap_ok(slash == NULL || slash[1] == '\0',
               "a place is what stands before the first slash: %s", iimg_key_places[i]);
    }
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    validity();
    parts();
    lengths();
    own_keys_are_valid();
    apr_terminate();
    return tap_done();
}
