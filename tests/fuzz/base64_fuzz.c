/* base64_fuzz.c - the input is base64, and then bytes to write as base64. */
#include "fuzz.h"
#include "base/base64.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

static char standard(char c)
{
    return c == '-' ? '+' : c == '_' ? '/' : c;
}

/* But for the bits that the last character has too many, what was read is written alike. */
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

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const char *bytes, *text;
    apr_size_t byte_length, text_length;

    if (iimg_base64_decode(pool, data, length, &bytes, &byte_length)) {
        fuzz_claim(bytes[byte_length] == '\0', "a NUL stands behind");
        text = iimg_base64_encode(pool, bytes, byte_length, &text_length);
        claim_alike(data, length, text, text_length);
    }
    text = iimg_base64_encode(pool, data, length, &text_length);
    fuzz_claim(strlen(text) == text_length, "the length is told");
    fuzz_claim(iimg_base64_decode(pool, text, text_length, &bytes, &byte_length)
                   && byte_length == length && memcmp(bytes, data, length) == 0,
               "what was written is read");
}
