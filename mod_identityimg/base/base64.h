/* base64.h - bytes as base64 text and back (RFC 4648). */
#ifndef IIMG_BASE_BASE64_H
#define IIMG_BASE_BASE64_H

#include <stdbool.h>
#include <apr_pools.h>

/**
 * Write bytes in the standard alphabet, padded, without line breaks.
 * @param text_length bytes of the text, or NULL
 * @return the text, allocated from pool, a NUL behind it; NULL when the bytes are over 1 GB
 */
const char *iimg_base64_encode(apr_pool_t *pool, const char *data, apr_size_t length,
                               apr_size_t *text_length);

/**
 * Read base64: standard or URL-safe alphabet, padded or not. Anything else, white space too, is
 * no base64.
 * @param data allocated from pool, a NUL behind it; untouched unless true is returned
 */
bool iimg_base64_decode(apr_pool_t *pool, const char *text, apr_size_t text_length,
                        const char **data, apr_size_t *length);

/** Base64 that comes in pieces; all zero to begin with. */
typedef struct iimg_base64_t {
    unsigned int bits; /* of the group that is not whole yet */
    int count;         /* its characters, 0 to 3 */
    int padding;       /* '=' seen */
    bool broken;       /* something was no base64; it stays so */
} iimg_base64_t;

/**
 * Read the next piece, by the same rules.
 * @param data room for length / 4 * 3 + 3 bytes, not those of the text
 * @return bytes written to data
 */
apr_size_t iimg_base64_feed(iimg_base64_t *base64, const char *text, apr_size_t length, char *data);

/**
 * The text is at its end: read what is left.
 * @param data room for 2 bytes @param length bytes written to it
 * @return whether all of it was base64
 */
bool iimg_base64_end(iimg_base64_t *base64, char *data, apr_size_t *length);

#endif
