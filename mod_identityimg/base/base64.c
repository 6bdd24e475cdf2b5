/* base64.c - decode base64 that arrives in pieces.
 *
 * A generated picture is decoded while the provider sends it. apr_decode_base64 needs the whole
 * text in memory; encoding is APR's (apr_encode_base64_binary).
 */
#include "base/base64.h"

/* The six bits of each character of both alphabets; -1: not base64. */
static const signed char values[256] = {
#define ROW16(v) v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v
    ROW16(-1), ROW16(-1), -1,        -1,        -1,        -1,        -1, -1, -1,        -1,
    -1,        -1,        -1,        62,        -1,        62,        -1, 63, 52,        53,
    54,        55,        56,        57,        58,        59,        60, 61, -1,        -1,
    -1,        -1,        -1,        -1,        -1,        0,         1,  2,  3,         4,
    5,         6,         7,         8,         9,         10,        11, 12, 13,        14,
    15,        16,        17,        18,        19,        20,        21, 22, 23,        24,
    25,        -1,        -1,        -1,        -1,        63,        -1, 26, 27,        28,
    29,        30,        31,        32,        33,        34,        35, 36, 37,        38,
    39,        40,        41,        42,        43,        44,        45, 46, 47,        48,
    49,        50,        51,        -1,        -1,        -1,        -1, -1, ROW16(-1), ROW16(-1),
    ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1),
};

/* Decode whole groups up to the first other character: the fast path for most of a picture.
 * @return the number of characters read */
static apr_size_t read_groups(const unsigned char *from, apr_size_t length, unsigned char **to)
{
    apr_size_t left = length;

    for (; left >= 4; left -= 4, from += 4) {
        int a = values[from[0]], b = values[from[1]], c = values[from[2]], d = values[from[3]];

        if ((a | b | c | d) < 0) {
            break;
        }
        *(*to)++ = (unsigned char)(a << 2 | b >> 4);
        *(*to)++ = (unsigned char)(b << 4 | c >> 2);
        *(*to)++ = (unsigned char)(c << 6 | d);
    }
    return length - left;
}

static void read_character(iimg_base64_t *base64, unsigned char c, unsigned char **to)
{
    int value = values[c];

    if (c == '=') {
        base64->padding++;
        return;
    }
    if (value < 0 || base64->padding > 0) {
        base64->broken = true;
        return;
    }
    base64->bits = base64->bits << 6 | (unsigned int)value;
    if (++base64->count == 4) {
        *(*to)++ = (unsigned char)(base64->bits >> 16);
        *(*to)++ = (unsigned char)(base64->bits >> 8);
        *(*to)++ = (unsigned char)base64->bits;
        base64->bits = 0;
        base64->count = 0;
    }
}

apr_size_t iimg_base64_feed(iimg_base64_t *base64, const char *text, apr_size_t length, char *data)
{
    const unsigned char *from = (const unsigned char *)text, *end = from + length;
    unsigned char *to = (unsigned char *)data;

    while (from < end && !base64->broken) {
        if (base64->count == 0 && base64->padding == 0) {
            from += read_groups(from, (apr_size_t)(end - from), &to);
        }
        if (from < end) {
            read_character(base64, *from++, &to);
        }
    }
    return (apr_size_t)(to - (unsigned char *)data);
}

bool iimg_base64_end(iimg_base64_t *base64, char *data, apr_size_t *length)
{
    unsigned int bits = base64->bits << 6 * (4 - base64->count);

    *length = base64->count > 1 ? (apr_size_t)base64->count - 1 : 0;
    for (apr_size_t i = 0; i < *length; i++) {
        data[i] = (char)(bits >> (16 - 8 * i));
    }
    /* A single character is less than a byte; whole groups need no padding. */
    return !base64->broken && base64->count != 1 && base64->padding <= 2
           && (base64->padding == 0 || base64->count != 0);
}
