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

/** Where a request waits for a job. */
typedef enum {
    IIMG_PLACE_NONE,
    IIMG_PLACE_THREAD,
    IIMG_PLACE_PARKED
} iimg_place_t;

typedef struct iimg_request_t {
    request_rec *r;
    iimg_context_t *context;
    const iimg_config_t *config;
    const char *path;       /* behind the Location's base, no slash in front */
    const char *id;         /* the {id} of the path, lower case; NULL when the route has none */
    apr_time_t serializing; /* since when an answer is written; 0: not timed */
    int body_file;          /* sealed memory file that the input lies in; -1: none */
    const char *body_start; /* where that file begins in memory */
    iimg_place_t place;
    bool parked;    /* it is answered later: the handler returns SUSPENDED */
    bool body_read; /* the body is gone: the request cannot be dispatched again */
} iimg_request_t;

/**
 * A login in form NFC, as emails are stored; httpd's r->user may be in another form.
 * @return login itself when it is no UTF-8; NULL stays NULL
 */
const char *iimg_login_form(apr_pool_t *pool, const char *login);

/**
 * The context of a request, made at its first use and the same ever after, also behind an internal
 * redirect (an ErrorDocument). Takes X-Request-Id if it is [A-Za-z0-9._-]{1,64}, else makes one;
 * the answer carries it.
 */
iimg_context_t *iimg_context_of(request_rec *r);

/** The absolute URL of the API that answers this request: IdentityImgBaseURL or the server's name,
 * and the path of its Location. No slash at its end. */
const char *iimg_request_api_url(const iimg_request_t *req);

/** What the error path must answer although httpd asks for another status; NULL: nothing. */
iimg_error_t *iimg_pending_error(request_rec *r);
void iimg_pending_error_set(request_rec *r, iimg_error_t *err);

/**
 * Whether r->user was let in on the word that our handler will hold it against the table users.
 * Where another handler answers, iimg_authn_fixup does that.
 */
bool iimg_login_is_open(request_rec *r);
void iimg_login_open_set(request_rec *r, bool open);

/**
 * A context for a part of a request's work, with a pool that may be destroyed when that is done: a
 * request that waits for minutes holds little. What it makes of the caller, and of the key, is not
 * the whole's.
 * @return false: there is no memory
 */
bool iimg_context_brief(const iimg_context_t *whole, iimg_context_t *brief);

/** A context for work that no request asked for. @param name stands where the request id would */
iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name);

/**
 * Read the body, to a memory file as it arrives, and find its fields.
 * Errors: IIMG_TOO_LARGE (before reading, when the length says so), IIMG_TIMEOUT, IIMG_INVALID,
 * IIMG_UNSUPPORTED_TYPE (before reading).
 */
iimg_error_t *iimg_request_input(iimg_request_t *req, iimg_input_t **input);

/** The same, for routes that take no picture: a form in multipart is small too. */
iimg_error_t *iimg_request_form(iimg_request_t *req, iimg_input_t **input);

/** Whose photos `?user_id=` asks for. Never fails: what is wrong is in scope->problem. */
void iimg_request_scope(iimg_request_t *req, iimg_scope_t *scope);

/**
 * The picture in form field `image`.
 * @param upload NULL when none was sent
 * Errors: IIMG_INVALID, IIMG_TOO_LARGE.
 */
iimg_error_t *iimg_request_upload(iimg_request_t *req, const iimg_input_t *input,
                                  iimg_upload_t **upload);

/** The same, where there must be one: else IIMG_INVALID "No image file provided". */
iimg_error_t *iimg_request_required_upload(iimg_request_t *req, const iimg_input_t *input,
                                           iimg_upload_t **upload);

#endif
