/* body.h - reads a request's body: forms with files into a memory file, others into memory.
 *
 * A 413 is decided in one of these places:
 *   bytes of a body     body.c: refuse_declared_length before reading, refuse_received_length while
 *                       reading; both make iimg_body_size_error
 *   bytes of a picture  request.c: iimg_request_upload, which makes iimg_body_size_error
 *   pixels              worker/picture_source.c: check_pixels; services/pictures/image.c makes
 *                       the error: make_pixels_error
 *   httpd's limits      conf/identityimg.conf: LimitRequestBody; map_read_error answers
 */
#ifndef IIMG_SERVER_HTTP_BODY_H
#define IIMG_SERVER_HTTP_BODY_H

#include <httpd.h>
#include "base/context.h"
#include "base/error.h"

/** A body, allocated from the request's pool. The bytes of forms with files are mapped from a file.
 */
typedef struct iimg_body_t {
    const char *data;
    apr_size_t length;
    int file; /* sealed, with the same bytes; -1: none */
} iimg_body_t;

/**
 * Before any other hook decides about a request: have an answer that precedes the body end the
 * connection. Otherwise httpd would read the whole body before it sends the answer.
 */
void iimg_body_expect(request_rec *r);

/**
 * Read the whole body.
 * @param type       its Content-Type, or NULL; an unsupported type is refused before reading
 * @param max_upload the limit of a picture in a form, in bytes; other bodies are limited to 1 MiB
 * Errors: IIMG_UNSUPPORTED_TYPE, IIMG_TOO_LARGE, IIMG_TIMEOUT, IIMG_INVALID, IIMG_HTTP.
 */
iimg_error_t *iimg_body_read(iimg_context_t *context, request_rec *r, const char *type,
                             apr_size_t max_upload, iimg_body_t *body);

/**
 * IIMG_TOO_LARGE: "The upload has 30.1 MB; at most 25.0 MB are allowed."
 * @param size 0: unknown
 */
iimg_error_t *iimg_body_size_error(apr_pool_t *pool, apr_size_t size, apr_size_t max);

#endif
