/* text_fuzz.c - the input is text, UTF-8 or not, compared with GLib's results. */
#include <glib.h>
#include "base/json/json.h"
#include "base/text.h"
#include "fuzz.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

/* GLib stops at a NUL. */
static bool glib_says_utf8(const char *data, size_t length)
{
    const char *end = data + length;

    for (;;) {
        const char *stop = memchr(data, '\0', (size_t)(end - data));

        if (!g_utf8_validate(data, (stop ? stop : end) - data, NULL)) {
            return false;
        }
        if (!stop) {
            return true;
        }
        data = stop + 1;
    }
}

static void trimmed(apr_pool_t *pool, const char *text)
{
    const char *once = iimg_text_trim(pool, text);

    fuzz_claim(strstr(text, once), "the trimmed text is part of the input");
    fuzz_claim(strcmp(iimg_text_trim(pool, once), once) == 0, "trimming again changes nothing");
    fuzz_claim(!iimg_text_is_utf8(text, strlen(text)) || iimg_text_is_utf8(once, strlen(once)),
               "UTF-8 stays UTF-8");
}

static void safe(apr_pool_t *pool, const char *text)
{
    const char *name = iimg_text_safe_name(pool, text);

    fuzz_claim(*name && strlen(name) <= 80
                   && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name),
               "a name is made safe");
}

static void written(apr_pool_t *pool, const char *data, size_t length)
{
    iimg_json_t *out = iimg_json_create(pool, 0);
    json_t *back;

    iimg_json_string_n(out, data, length);
    back = json_loadb(out->text, out->length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fuzz_claim(json_string_length(back) == length
                   && memcmp(json_string_value(back), data, length) == 0,
               "a text survives JSON");
    json_decref(back);
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const char *text = fuzz_text(pool, data, length);
    bool utf8 = iimg_text_is_utf8(data, length);

    fuzz_claim(utf8 == glib_says_utf8(data, length), "GLib agrees on UTF-8");
    trimmed(pool, text);
    safe(pool, text);
    if (utf8) {
        fuzz_claim(iimg_text_characters(text) == (apr_size_t)g_utf8_strlen(text, -1),
                   "GLib counts the same characters");
        written(pool, data, length);
    }
}
