/* multipart.h - the parts of a multipart/form-data body (RFC 7578). */
#ifndef IIMG_BASE_INPUT_MULTIPART_H
#define IIMG_BASE_INPUT_MULTIPART_H

#include <apr_pools.h>
#include <apr_tables.h>
#include "base/error.h"

/** One part of a form. */
typedef struct iimg_part_t {
    const char *name;     /* of the field, UTF-8 */
    const char *filename; /* as the client gave it; NULL for an ordinary field */
    const char *data;     /* within the body: nothing is copied */
    apr_size_t length;
} iimg_part_t;

/** Most parts that one form may have. */
#define IIMG_MULTIPART_MAX_PARTS 100

/** Most bytes, and most lines, of the headers of one part, including the delimiter line. */
#define IIMG_MULTIPART_MAX_HEADERS      8192
#define IIMG_MULTIPART_MAX_HEADER_LINES 40

/** Initialize GMime, once per process, before any thread starts. */
void iimg_multipart_start(void);

/**
 * Find the parts of a form. Content-Transfer-Encoding is ignored, as browsers send none.
 * @param content_type the request's Content-Type, with the boundary
 * @param body         must stay valid and unchanged as long as the parts are used
 * @param parts        iimg_part_t, in order
 * Errors: IIMG_INVALID, "Multipart form parse error - ...".
 */
iimg_error_t *iimg_multipart_parse(apr_pool_t *pool, const char *content_type, const char *body,
                                   apr_size_t length, apr_array_header_t **parts);

#endif
