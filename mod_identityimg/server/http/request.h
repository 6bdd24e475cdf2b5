/* request.h - one HTTP request as views see it: context, path, query, body. */
#ifndef IIMG_SERVER_HTTP_REQUEST_H
#define IIMG_SERVER_HTTP_REQUEST_H

#include <httpd.h>
#include "base/context.h"
#include "base/error.h"
#include "base/input/input.h"
#include "functions/shared/scope.h"
#include "functions/shared/store_picture.h"
#include "server/config/config.h"

/** The place in which a request waits for a job. */
typedef enum {
    IIMG_PLACE_NONE,
    IIMG_PLACE_THREAD,
    IIMG_PLACE_PARKED
} iimg_place_t;

typedef struct iimg_request_t {
    request_rec *r;
    iimg_context_t *context;
    const iimg_config_t *config;
    const char *path;       /* below the Location's base, without a leading slash */
    const char *id;         /* {id} of the path in lower case; NULL: the route has none */
    apr_time_t serializing; /* when writing of the answer began; 0: not timed */
    int body_file;          /* sealed memory file that holds the input; -1: none */
    const char *body_start; /* where that file begins in memory */
    iimg_place_t place;
    bool parked;    /* answered later: the handler returns SUSPENDED */
    bool body_read; /* the body was consumed: the request cannot be dispatched again */
} iimg_request_t;

/**
 * Normalize a login to NFC, as emails are stored; httpd's r->user may be in another form.
 * @return login itself when it is not UTF-8 or NULL
 */
const char *iimg_login_form(apr_pool_t *pool, const char *login);

/**
 * The context of a request: created once, and shared by internal redirects (an ErrorDocument).
 * Accepts the client's X-Request-Id if it is [A-Za-z0-9._-]{1,64}, else creates one; the answer
 * carries it.
 */
iimg_context_t *iimg_context_of(request_rec *r);

/** The absolute URL of the API that serves this request: IdentityImgBaseURL or the server's name,
 * and the path of its Location. Without a trailing slash. */
const char *iimg_request_api_url(const iimg_request_t *req);

/** The error that the ErrorDocument answers, whatever status httpd has; NULL: none. */
iimg_error_t *iimg_pending_error(request_rec *r);
void iimg_pending_error_set(request_rec *r, iimg_error_t *err);

/**
 * Whether r->user was accepted with a cached proof that our handler has yet to compare with the
 * table users. Where another handler answers, iimg_authn_fixup compares it.
 */
bool iimg_login_is_open(request_rec *r);
void iimg_login_open_set(request_rec *r, bool open);

/**
 * A context for a part of a request's work, with a pool that can be destroyed afterwards: requests
 * that wait for minutes should hold little memory. The caller and the idempotency key that it
 * finds are not copied back.
 * @return false: no memory
 */
bool iimg_context_brief(const iimg_context_t *whole, iimg_context_t *brief);

/** A context for background work. @param name logged in place of a request id */
iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name);

/**
 * Read the body, to a memory file as it arrives, and find its fields.
 * Errors: IIMG_TOO_LARGE (before reading, when the length says so), IIMG_TIMEOUT, IIMG_INVALID,
 * IIMG_UNSUPPORTED_TYPE (before reading).
 */
iimg_error_t *iimg_request_input(iimg_request_t *req, iimg_input_t **input);

/** The same for routes without a picture: multipart forms are limited to 1 MiB, too. */
iimg_error_t *iimg_request_form(iimg_request_t *req, iimg_input_t **input);

/** Read `?user_id=`. Never fails: an error is stored in scope->problem. */
void iimg_request_scope(iimg_request_t *req, iimg_scope_t *scope);

/**
 * The picture in form field `image`.
 * @param upload NULL: none was sent
 * Errors: IIMG_INVALID, IIMG_TOO_LARGE.
 */
iimg_error_t *iimg_request_upload(iimg_request_t *req, const iimg_input_t *input,
                                  iimg_upload_t **upload);

/** The same for a required picture. Errors: also IIMG_INVALID "No image file provided". */
iimg_error_t *iimg_request_required_upload(iimg_request_t *req, const iimg_input_t *input,
                                           iimg_upload_t **upload);

#endif
