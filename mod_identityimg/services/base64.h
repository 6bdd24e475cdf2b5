/* base64.h - bytes as base64 text and back (RFC 4648). */
#ifndef IIMG_BASE64_H
#define IIMG_BASE64_H

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

#endif
