/* base64_test.c - base/base64.c: both ways, both alphabets, and what is no base64. */
#include <stdlib.h>
#include "base/base64.h"
#include "tap.h"
#include "work.h"

/* RFC 4648, section 10, and bytes that need the last two characters of each alphabet. */
static const struct {
    const char *bytes;
    apr_size_t length;
    const char *text;
} pairs[] = {
    { "", 0, "" },
    { "f", 1, "Zg==" },
    { "fo", 2, "Zm8=" },
    { "foo", 3, "Zm9v" },
    { "foob", 4, "Zm9vYg==" },
    { "fooba", 5, "Zm9vYmE=" },
    { "foobar", 6, "Zm9vYmFy" },
    { "\0\xff\xfe\xfb", 4, "AP/++w==" },
};

static void test_pairs(apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        apr_size_t text_length = 99, length = 99;
        const char *data = NULL;

        tap_is(iimg_base64_encode(pool, pairs[i].bytes, pairs[i].length, &text_length),
               pairs[i].text, "%d bytes are written right", (int)pairs[i].length);
        tap_is_number(text_length, strlen(pairs[i].text), "and so is their length");
        tap_ok(iimg_base64_decode(pool, pairs[i].text, strlen(pairs[i].text), &data, &length)
                   && length == pairs[i].length && memcmp(data, pairs[i].bytes, length) == 0,
               "%d bytes are read back", (int)pairs[i].length);
        tap_ok(data && data[length] == '\0', "and a NUL stands behind them");
    }
}

static void test_tolerance(apr_pool_t *pool)
{
    static const char *const texts[] = { "AP/++w==", "AP/++w", "AP_--w", "AP_--w==", "AP/++w=" };
    const char *data;
    apr_size_t length;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tap_ok(iimg_base64_decode(pool, texts[i], strlen(texts[i]), &data, &length) && length == 4
                   && memcmp(data, "\0\xff\xfe\xfb", 4) == 0,
               "%s is read", texts[i]);
    }
}

static void test_nonsense(apr_pool_t *pool)
{
    static const char *const texts[] = {
        "Z",    "Zm9vY", "Zm9v Zm9v",  "Zm9v\n", "Zg===",  "=",
        "Z=g=", "Zm9!",  "Zm\xc3\xa9", "!!9v",   "Zm9vZ!", "data:image/png;base64,Zm9v",
    };
    const char *data;
    apr_size_t length;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bool read = iimg_base64_decode(pool, texts[i], strlen(texts[i]), &data, &length);

        tap_ok(!read, "text %d is no base64", (int)i);
    }
    tap_ok(!iimg_base64_decode(pool, "Zm\0v", 4, &data, &length), "a NUL is no base64");
}

static void test_many(apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, 100000);
    apr_size_t text_length, length;
    const char *text, *data;

    for (int i = 0; i < 100000; i++) {
        bytes[i] = (char)(i * 31 + i / 256);
    }
    text = iimg_base64_encode(pool, bytes, 100000, &text_length);
    tap_ok(iimg_base64_decode(pool, text, text_length, &data, &length) && length == 100000
               && memcmp(data, bytes, length) == 0,
           "a hundred thousand bytes come back");
}

/* Any text, in pieces of any size, is read as it is at once. */
static void test_pieces(apr_pool_t *pool)
{
    static const char *const texts[] = { "",         "Zg",       "Zg==",  "Zm9v",
                                         "Zm9vYmFy", "_9j_wAAR", "Zm9v=", "Z",
                                         "Zm9vYg=x", "Zm\n9v",   "Zg===" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t length = strlen(texts[i]);
        const char *whole = NULL;
        apr_size_t wanted = 0;
        bool good = iimg_base64_decode(pool, texts[i], length, &whole, &wanted);

        for (size_t step = 1; step <= 5; step++) {
            char out[64];
            iimg_base64_t base64 = { 0 };
            apr_size_t got = 0, rest;

            for (size_t at = 0; at < length; at += step) {
                got += iimg_base64_feed(&base64, texts[i] + at,
                                        step < length - at ? step : length - at, out + got);
            }
            tap_ok(iimg_base64_end(&base64, out + got, &rest) == good
                       && (!good || (got + rest == wanted && memcmp(out, whole, wanted) == 0)),
                   "text %d in pieces of %d is the same", (int)i, (int)step);
        }
    }
}

/* @return bytes, or -1; `step` characters at a time, in room that ends where it may end */
static int read_in_steps(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t step,
                         const char **data)
{
    iimg_base64_t base64 = { 0 };
    char *out = apr_palloc(pool, length + 3);
    apr_size_t got = 0, rest;

    for (apr_size_t at = 0; at < length; at += step) {
        apr_size_t n = step < length - at ? step : length - at;
        char *piece = malloc(n / 4 * 3 + 3);
        apr_size_t bytes = iimg_base64_feed(&base64, text + at, n, piece);

        memcpy(out + got, piece, bytes);
        free(piece);
        got += bytes;
    }
    *data = out;
    return iimg_base64_end(&base64, out + got, &rest) ? (int)(got + rest) : -1;
}

/* However a text is cut, each character means the same at each place. */
static void test_long(apr_pool_t *pool)
{
    const char *data, *slow;
    char text[65] = "", was;
    int differ = 0;

    for (int i = 0; i < 64; i++) {
        text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[i * 37 % 64];
    }
    for (int i = 0; i < 64 * 256; i++) {
        apr_size_t length = 64 - (apr_size_t)i % 5;
        int fast, wanted;

        was = text[i / 256];
        text[i / 256] = (char)i;
        fast = read_in_steps(pool, text, length, 64, &data);
        wanted = read_in_steps(pool, text, length, 1, &slow);
        differ += fast != wanted || (fast > 0 && memcmp(data, slow, (size_t)fast) != 0);
        text[i / 256] = was;
    }
    tap_is_number(differ, 0, "each character means the same in a long text");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_pairs(context->pool);
    test_tolerance(context->pool);
    test_nonsense(context->pool);
    test_many(context->pool);
    test_pieces(context->pool);
    test_long(context->pool);
    work_end(context);
    return tap_done();
}
