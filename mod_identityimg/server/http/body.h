/* body.h - a request's body: pictures into a memory file as they arrive, small ones into memory. */
#ifndef IIMG_SERVER_HTTP_BODY_H
#define IIMG_SERVER_HTTP_BODY_H

#include <httpd.h>
#include "base/context.h"
#include "base/error.h"

/** A body, gone with the request's pool. Forms that may hold files lie in a sealed memory file,
 * mapped once. */
typedef struct iimg_body_t {
    const char *data;
    apr_size_t length;
    int file; /* sealed, with the same bytes; -1: none */
} iimg_body_t;

/**
 * Before anything is decided about a request: an answer that comes before the body was read ends
 * the connection. Otherwise httpd would read all of it first, and hold the answer back until then.
 */
void iimg_body_await(request_rec *r);

/**
 * Read the whole body.
 * @param type       its Content-Type, or NULL; a type we do not take is refused before reading
 * @param max_upload bytes that a picture in a form may have; other bodies are held to 1 MiB
 * Errors: IIMG_UNSUPPORTED_TYPE, IIMG_TOO_LARGE, IIMG_TIMEOUT, IIMG_INVALID, IIMG_HTTP.
 */
iimg_error_t *iimg_body_read(iimg_context_t *context, request_rec *r, const char *type,
                             apr_size_t max_upload, iimg_body_t *body);

/** "The upload has 30.1 MB; at most 25.0 MB are allowed." */
iimg_error_t *iimg_body_too_large(apr_pool_t *pool, apr_size_t size, apr_size_t most);

#endif
