/* errors.c - answers errors that httpd found before our handler: the target of ErrorDocuments. */
#include "server/http/errors.h"

#include <string.h>
#include <apr_strings.h>
#include "server/http/challenge.h"
#include "server/http/request.h"
#include "server/http/response.h"

static const struct {
    int status;
    iimg_error_kind_t kind;
    const char *sentence;
} rows[] = {
    { 400, IIMG_INVALID, "The request is malformed." },
    { 403, IIMG_FORBIDDEN, "You do not have permission to perform this action." },
    { 404, IIMG_NOT_FOUND, "Not found." },
    { 405, IIMG_METHOD, "Method not allowed." },
    { 408, IIMG_TIMEOUT, "The request did not arrive in time." },
    { 413, IIMG_TOO_LARGE, "The request is too large." },
    { 414, IIMG_TOO_LARGE, "The address is too long." },
    { 416, IIMG_INVALID, "The range begins after the end of the picture." },
    { 417, IIMG_INVALID, "The server cannot do what the header Expect asks for." },
    { 431, IIMG_TOO_LARGE, "The request's header is too large." },
    { 503, IIMG_UNAVAILABLE, "The server is not available at the moment." },
};

static iimg_error_t *unauthenticated(request_rec *r)
{
    const char *sentence = "Authentication credentials were not provided.";
    const char *code = "not_authenticated";

    if (iimg_challenge_is_bearer(r)) {
        sentence = "Invalid token.";
        code = "invalid_token";
    }
    else if (apr_table_get(r->headers_in, "Authorization")) {
        sentence = "Invalid username/password.";
        code = "authentication_failed";
    }
    return iimg_error_with_code(r->pool, IIMG_UNAUTHENTICATED, code, "%s", sentence);
}

/* Caused by other modules: an AuthType whose module is not loaded, or another handler. */
static iimg_error_t *external_error(request_rec *r, int status)
{
    iimg_error_t *err = iimg_error_internal(r->pool,
                                            "httpd or another module ended the request with status "
                                            "%d; see its own log line before this one",
                                            status);

    err->tag = "IIMG0015";
    return err;
}

/* httpd answers 400 for a header over LimitRequestFieldSize or LimitRequestFields in HTTP/1, and
 * 431 in HTTP/2. Only its note, meant for an error page, distinguishes the former from a malformed
 * request. */
static int precise_status(const request_rec *r, int status)
{
    static const char *const notes[] = {
        "Size of a request header field exceeds",
        "The number of request header fields exceeds",
    };
    const char *note = r->prev ? apr_table_get(r->prev->notes, "error-notes") : NULL;

    for (size_t i = 0; note && i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (strncmp(note, notes[i], strlen(notes[i])) == 0) {
            return HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
        }
    }
    return status;
}

static iimg_error_t *error_for(request_rec *r, int status)
{
    iimg_error_t *pending = iimg_pending_error(r);

    if (pending) {
        return pending;
    }
    if (status == HTTP_UNAUTHORIZED) {
        return unauthenticated(r);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            iimg_error_t *err = iimg_error(r->pool, rows[i].kind, "%s", rows[i].sentence);

            err->http_status = status; /* 414, 416, 417 and 431 have no kind of their own */
            return err;
        }
    }
    return external_error(r, status);
}

int iimg_errors_handle(request_rec *r)
{
    /* Requested directly, the ErrorDocument's path does not exist. */
    int status = r->prev ? precise_status(r, r->prev->status) : HTTP_NOT_FOUND;

    return iimg_respond_error(r, iimg_context_of(r), error_for(r, status));
}
