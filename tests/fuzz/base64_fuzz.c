/* base64_fuzz.c - the input is decoded as base64, then encoded by APR and decoded again. */
#include "fuzz.h"
#include <apr_encode.h>
#include "base/base64.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

static char standard(char c)
{
    return c == '-' ? '+' : c == '_' ? '/' : c;
}

/* Encoding gives the same text again, except for unused bits of the last character. */
static void claim_alike(const char *text, size_t length, const char *again, size_t again_length)
{
    while (length > 0 && text[length - 1] == '=') {
        length--;
    }
    fuzz_claim(again_length >= length && again_length - length < 3, "no character is lost");
    for (size_t i = 0; i + 1 < length; i++) {
        fuzz_claim(standard(text[i]) == again[i], "character %zu is the same", i);
    }
}

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

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const char *bytes, *text;
    apr_size_t byte_length, text_length;

    if (decode(pool, data, length, &bytes, &byte_length)) {
        text = apr_pencode_base64_binary(pool, (const unsigned char *)bytes,
                                         (apr_ssize_t)byte_length, APR_ENCODE_NONE, &text_length);
        claim_alike(data, length, text, text_length);
    }
    text = apr_pencode_base64_binary(pool, (const unsigned char *)data, (apr_ssize_t)length,
                                     APR_ENCODE_NONE, &text_length);
    fuzz_claim(decode(pool, text, text_length, &bytes, &byte_length) && byte_length == length
                   && memcmp(bytes, data, length) == 0,
               "encoded bytes are decoded");
}
