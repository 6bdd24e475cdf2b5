/* base64.c - bytes as base64 text and back. */
#include "services/base64.h"

#include <openssl/evp.h>
#ifdef __x86_64__
#include <tmmintrin.h>
#endif

#define MAX_DATA ((apr_size_t)1 << 30)      /* OpenSSL counts in int */

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

/* Each character's six bits; -1: it is none of them. */
static const signed char values[256] = {
#define ROW16(v) v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v
    ROW16(-1), ROW16(-1),
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
    -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
    ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1), ROW16(-1),
};

#ifdef __x86_64__
#define BLOCK 16            /* characters that are read at once: 12 bytes */
#define BLOCK_ROOM 24       /* characters left: 16 bytes are written, of which 4 are nothing */

/*
 * Four groups of the standard alphabet (W. Mula, D. Lemire: Faster Base64 Encoding and Decoding using AVX2
 * Instructions). A character's upper half says by how much it is off its value, where "/" alone differs from
 * its neighbours; a bit that both halves' tables have says that it is none.
 * @return whether all 16 are characters of it; else nothing is written
 */
__attribute__((target("ssse3")))
static bool read_block(const unsigned char *from, unsigned char *to)
{
    const __m128i by_upper = _mm_setr_epi8(0x10, 0x10, 1, 2, 4, 8, 4, 8, 0x10, 0x10, 0x10, 0x10, 0x10,
                                           0x10, 0x10, 0x10);
    const __m128i by_lower = _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                           0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
    const __m128i offsets = _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m128i low = _mm_set1_epi8(0x0f);
    __m128i text = _mm_loadu_si128((const __m128i *)from);
    __m128i upper = _mm_and_si128(_mm_srli_epi32(text, 4), low), lower = _mm_and_si128(text, low);
    __m128i wrong = _mm_and_si128(_mm_shuffle_epi8(by_upper, upper), _mm_shuffle_epi8(by_lower, lower));
    __m128i slash = _mm_cmpeq_epi8(text, _mm_set1_epi8('/')), six, twelve, bytes;

    if (_mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128())) != 0xffff) {
        return false;
    }
    six = _mm_add_epi8(text, _mm_shuffle_epi8(offsets, _mm_add_epi8(upper, slash)));
    twelve = _mm_maddubs_epi16(six, _mm_set1_epi32(0x01400140));
    bytes = _mm_shuffle_epi8(_mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000)), order);
    _mm_storeu_si128((__m128i *)to, bytes);
    return true;
}

static apr_size_t read_blocks(const unsigned char *from, apr_size_t length, unsigned char **to)
{
    apr_size_t left = length;

    if (!__builtin_cpu_supports("ssse3")) {
        return 0;
    }
    for (; left >= BLOCK_ROOM && read_block(from, *to); left -= BLOCK, from += BLOCK) {
        *to += BLOCK / 4 * 3;
    }
    return length - left;
}
#else
static apr_size_t read_blocks(const unsigned char *from, apr_size_t length, unsigned char **to)
{
    (void)from, (void)length, (void)to;
    return 0;
}
#endif

/* Whole groups, as long as they are nothing else; most of a picture is read here.
 * @return how many characters were read */
static apr_size_t read_groups(const unsigned char *from, apr_size_t length, unsigned char **to)
{
    apr_size_t blocks = read_blocks(from, length, to), left = length - blocks;

    from += blocks;
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

static void read_one(iimg_base64_t *base64, unsigned char c, unsigned char **to)
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

apr_size_t iimg_base64_feed(iimg_base64_t *base64, const char *text, apr_size_t length,
                            char *data)
{
    const unsigned char *from = (const unsigned char *)text, *end = from + length;
    unsigned char *to = (unsigned char *)data;

    while (from < end && !base64->broken) {
        if (base64->count == 0 && base64->padding == 0) {
            from += read_groups(from, (apr_size_t)(end - from), &to);
        }
        if (from < end) {
            read_one(base64, *from++, &to);
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
    /* One character is no byte; whole groups need no padding. */
    return !base64->broken && base64->count != 1 && base64->padding <= 2
           && (base64->padding == 0 || base64->count != 0);
}

bool iimg_base64_decode(apr_pool_t *pool, const char *text, apr_size_t text_length,
                        const char **data, apr_size_t *length)
{
    char *out = apr_palloc(pool, text_length / 4 * 3 + 4);
    iimg_base64_t base64 = { 0 };
    apr_size_t whole = iimg_base64_feed(&base64, text, text_length, out), rest;

    if (!iimg_base64_end(&base64, out + whole, &rest)) {
        return false;
    }
    out[whole + rest] = '\0';
    *data = out;
    *length = whole + rest;
    return true;
}
