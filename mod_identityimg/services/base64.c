/* base64.c - bytes as base64 text and back. */
#include "services/base64.h"

#include <string.h>
#include <openssl/evp.h>

#define MAX_DATA ((apr_size_t)1 << 30)      /* OpenSSL counts in int */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *iimg_base64_encode(apr_pool_t *pool, const char *data, apr_size_t length,
                               apr_size_t *text_length)
{
    unsigned char *text;
    int n;

    if (length > MAX_DATA) {
        return NULL;
    }
    text = apr_palloc(pool, (length + 2) / 3 * 4 + 1);
    n = EVP_EncodeBlock(text, (const unsigned char *)data, (int)length);
    if (text_length) {
        *text_length = (apr_size_t)n;
    }
    return (const char *)text;
}

static void fill_values(signed char values[256])
{
    memset(values, -1, 256);
    for (int i = 0; i < 64; i++) {
        values[(unsigned char)alphabet[i]] = (signed char)i;
    }
    values['-'] = 62;
    values['_'] = 63;
}

/* The text's length without its padding. */
static apr_size_t unpadded(const char *text, apr_size_t length)
{
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++) {
        length--;
    }
    return length;
}

/* Reads 2 to 4 characters into one byte less. @return negative when one is no base64 */
static inline int read_quad(const signed char *values, const unsigned char *from, int count,
                            unsigned char *to)
{
    unsigned int bits = 0;
    int strange = 0;

    for (int i = 0; i < 4; i++) {
        int value = i < count ? values[from[i]] : 0;

        strange |= value;
        bits = bits << 6 | (unsigned int)(value & 63);
    }
    for (int i = 0; i < count - 1; i++) {
        to[i] = (unsigned char)(bits >> (16 - 8 * i));
    }
    return strange;
}

bool iimg_base64_decode(apr_pool_t *pool, const char *text, apr_size_t text_length,
                        const char **data, apr_size_t *length)
{
    const unsigned char *from = (const unsigned char *)text;
    apr_size_t left = unpadded(text, text_length);
    unsigned char *out, *to;
    signed char values[256];

    if (left % 4 == 1 || (left % 4 == 0 && left < text_length)) {
        return false;       /* one character is no byte; whole groups need no padding */
    }
    fill_values(values);
    out = to = apr_palloc(pool, left / 4 * 3 + 3);
    for (; left >= 4; left -= 4, from += 4, to += 3) {
        if (read_quad(values, from, 4, to) < 0) {
            return false;
        }
    }
    if (left > 0) {
        if (read_quad(values, from, (int)left, to) < 0) {
            return false;
        }
        to += left - 1;
    }
    *to = '\0';
    *data = (const char *)out;
    *length = (apr_size_t)(to - out);
    return true;
}
