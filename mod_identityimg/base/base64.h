/* base64.h - decode base64 that arrives in pieces (RFC 4648). */
#ifndef IIMG_BASE_BASE64_H
#define IIMG_BASE_BASE64_H

#include <stdbool.h>
#include <apr.h>

/*
 * Decode text in the standard or the URL-safe alphabet, with or without padding. White space and
 * all other characters are errors.
 *
 *   iimg_base64_t base64 = { 0 };
 *   n = iimg_base64_feed(&base64, text, length, data);   as often as text arrives
 *   good = iimg_base64_end(&base64, data + n, &rest);
 */

typedef struct iimg_base64_t {
    unsigned int bits; /* of the incomplete group */
    int count;         /* of its characters, 0 to 3 */
    int padding;       /* '=' characters so far */
    bool broken;       /* the text is not base64 */
} iimg_base64_t;

/**
 * Decode the next piece.
 * @param data room for length / 4 * 3 + 3 bytes, not those of the text
 * @return the number of bytes written to data
 */
apr_size_t iimg_base64_feed(iimg_base64_t *base64, const char *text, apr_size_t length, char *data);

/**
 * Decode the incomplete last group.
 * @param data   room for 2 bytes
 * @param length bytes written to data
 * @return whether the whole text was base64
 */
bool iimg_base64_end(iimg_base64_t *base64, char *data, apr_size_t *length);

#endif
