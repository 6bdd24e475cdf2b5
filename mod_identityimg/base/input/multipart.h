/* multipart.h - the parts of a multipart/form-data body (RFC 7578), found through GMime. */
#ifndef IIMG_BASE_INPUT_MULTIPART_H
#define IIMG_BASE_INPUT_MULTIPART_H

#include <apr_pools.h>
#include <apr_tables.h>
#include "base/error.h"

/** One part of a form. The bytes lie within the body that was parsed: nothing is copied. */
typedef struct iimg_part_t {
    const char *name;     /* the field's name, UTF-8 */
    const char *filename; /* as the client gave it; NULL for an ordinary field */
    const char *data;     /* first byte, within the body */
    apr_size_t length;
} iimg_part_t;

/** Most parts that one form may have. */
#define IIMG_MULTIPART_MAX_PARTS 100

/** Most bytes, and most lines, of one part's headers with the delimiter in front. */
#define IIMG_MULTIPART_MAX_HEADERS      8192
#define IIMG_MULTIPART_MAX_HEADER_LINES 40

/** Prepare GMime, once per process, before any thread starts. */
void iimg_multipart_start(void);

/**
 * The header that GMime must read in front of a body. Whoever receives the body writes this first,
 * so that both lie in one piece of memory and nothing is copied later.
 */
const char *iimg_multipart_preamble(apr_pool_t *pool, const char *content_type);

/**
 * Find the parts of a form. Content-Transfer-Encoding is ignored, as browsers send none.
 * @param content_type the request's Content-Type, with the boundary
 * @param message      iimg_multipart_preamble and the body behind it; must stay valid and
 *                     unchanged as long as the parts are used
 * @param length       bytes in message
 * @param parts        iimg_part_t, in order
 * Errors: IIMG_INVALID, "Multipart form parse error - ...".
 */
iimg_error_t *iimg_multipart_parse(apr_pool_t *pool, const char *content_type, const char *message,
                                   apr_size_t length, apr_array_header_t **parts);

#endif
