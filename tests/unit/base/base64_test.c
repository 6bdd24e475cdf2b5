/* base64_test.c - base/base64.c: both alphabets, text in pieces, invalid text. */
#include <stdlib.h>
#include <apr_encode.h>
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

static bool decode(apr_pool_t *pool, const char *text, apr_size_t text_length, const char **data,
                   apr_size_t *length)
{
    iimg_base64_t base64 = { 0 };
    char *out = apr_palloc(pool, text_length / 4 * 3 + 4);
    apr_size_t rest;

    *length = iimg_base64_feed(&base64, text, text_length, out);
    *data = out;
    if (!iimg_base64_end(&base64, out + *length, &rest)) {
        return false;
    }
    *length += rest;
    return true;
}

static void test_pairs(apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        apr_size_t length = 99;
        const char *data = NULL;

        tap_ok(decode(pool, pairs[i].text, strlen(pairs[i].text), &data, &length)
                   && length == pairs[i].length && memcmp(data, pairs[i].bytes, length) == 0,
               "%d bytes are decoded", (int)pairs[i].length);
    }
}

static void test_tolerance(apr_pool_t *pool)
{
    static const char *const texts[] = { "AP/++w==", "AP/++w", "AP_--w", "AP_--w==", "AP/++w=" };
    const char *data;
    apr_size_t length;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tap_ok(decode(pool, texts[i], strlen(texts[i]), &data, &length) && length == 4
                   && memcmp(data, "\0\xff\xfe\xfb", 4) == 0,
               "%s is decoded", texts[i]);
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
        bool read = decode(pool, texts[i], strlen(texts[i]), &data, &length);

        tap_ok(!read, "text %d is refused", (int)i);
    }
    tap_ok(!decode(pool, "Zm\0v", 4, &data, &length), "a NUL is refused");
}

static void test_many(apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, 100000);
    apr_size_t text_length, length;
    const char *text, *data;

    for (int i = 0; i < 100000; i++) {
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    }
    text = apr_pencode_base64_binary(pool, bytes, 100000, APR_ENCODE_NONE, &text_length);
    tap_ok(decode(pool, text, text_length, &data, &length) && length == 100000
               && memcmp(data, bytes, length) == 0,
           "100000 bytes that APR encoded are decoded");
}

/* The result does not depend on the size of the pieces. */
static void test_pieces(apr_pool_t *pool)
{
    static const char *const texts[] = { "",         "Zg",       "Zg==",  "Zm9v",
                                         "Zm9vYmFy", "_9j_wAAR", "Zm9v=", "Z",
                                         "Zm9vYg=x", "Zm\n9v",   "Zg===" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t length = strlen(texts[i]);
        const char *whole = NULL;
        apr_size_t wanted = 0;
        bool good = decode(pool, texts[i], length, &whole, &wanted);

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
                   "text %d gives the same result in pieces of %d", (int)i, (int)step);
        }
    }
}

/* Decode `step` characters at a time into exactly the room that base64.h asks for.
 * @return the number of bytes, or -1 */
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

/* The fast path and the slow path agree on each character at each position. */
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
    tap_is_number(differ, 0, "both paths decode each character alike");
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
