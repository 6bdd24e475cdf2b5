/* errors_test.c - server/http/errors.c: which error stands for each status that httpd ends a
 * request with. */
#include "server/http/errors.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_error_t *pending, *answered;
static bool bearer;

iimg_context_t *iimg_context_of(request_rec *r)
{
    (void)r;
    return context;
}

iimg_error_t *iimg_pending_error(request_rec *r)
{
    (void)r;
    return pending;
}

bool iimg_challenge_is_bearer(request_rec *r)
{
    (void)r;
    return bearer;
}

int iimg_respond_error(request_rec *r, const iimg_context_t *of, const iimg_error_t *err)
{
    (void)r, (void)of;
    answered = (iimg_error_t *)err;
    return OK;
}

static request_rec *request(int status, const char *authorization, const char *note)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    if (authorization) {
        apr_table_set(r->headers_in, "Authorization", authorization);
    }
    if (status) {
        r->prev = apr_pcalloc(context->pool, sizeof(*r));
        r->prev->status = status;
        r->prev->notes = apr_table_make(r->pool, 1);
        if (note) {
            apr_table_set(r->prev->notes, "error-notes", note);
        }
    }
    pending = NULL;
    bearer = false;
    return r;
}

int main(void)
{
    static const struct {
        int status;
        const char *authorization, *note;
        bool is_bearer;
        iimg_error_kind_t kind;
        int answered;
        const char *code, *tag;
    } cases[] = {
        { 400, NULL, NULL, false, IIMG_INVALID, 400, NULL, NULL },
        { 400, NULL, "Size of a request header field exceeds server limit.", false, IIMG_TOO_LARGE,
          431, NULL, NULL },
        { 400, NULL, "The number of request header fields exceeds the limit", false, IIMG_TOO_LARGE,
          431, NULL, NULL },
        { 400, NULL, "Size of a request line", false, IIMG_INVALID, 400, NULL, NULL },
        { 401, NULL, NULL, false, IIMG_UNAUTHENTICATED, 0, "not_authenticated", NULL },
        { 401, "Basic x", NULL, false, IIMG_UNAUTHENTICATED, 0, "authentication_failed", NULL },
        { 401, "Bearer x", NULL, true, IIMG_UNAUTHENTICATED, 0, "invalid_token", NULL },
        { 403, NULL, NULL, false, IIMG_FORBIDDEN, 403, NULL, NULL },
        { 404, NULL, NULL, false, IIMG_NOT_FOUND, 404, NULL, NULL },
        { 405, NULL, NULL, false, IIMG_METHOD, 405, NULL, NULL },
        { 408, NULL, NULL, false, IIMG_TIMEOUT, 408, NULL, NULL },
        { 413, NULL, NULL, false, IIMG_TOO_LARGE, 413, NULL, NULL },
        { 414, NULL, NULL, false, IIMG_TOO_LARGE, 414, NULL, NULL },
        { 431, NULL, NULL, false, IIMG_TOO_LARGE, 431, NULL, NULL },
        { 503, NULL, NULL, false, IIMG_UNAVAILABLE, 503, NULL, NULL },
        { 500, NULL, NULL, false, IIMG_INTERNAL, 0, NULL, "IIMG0015" },
        { 504, NULL, NULL, false, IIMG_INTERNAL, 0, NULL, "IIMG0015" },
        { 0, NULL, NULL, false, IIMG_NOT_FOUND, 404, NULL, NULL },
    };

    context = work_begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].status, cases[i].authorization, cases[i].note);

        bearer = cases[i].is_bearer;
        tap_is_number(iimg_errors_handle(r), OK, "status %d is answered", cases[i].status);
        tap_is_number(answered->kind, cases[i].kind, "status %d: its kind", cases[i].status);
        tap_is_number(answered->http_status, cases[i].answered, "status %d: its own status",
                      cases[i].status);
        tap_is(answered->code, cases[i].code, "status %d: its code", cases[i].status);
        tap_is(answered->tag, cases[i].tag, "status %d: its tag", cases[i].status);
    }
    {
        request_rec *r = request(500, NULL, NULL);

        pending = iimg_error(context->pool, IIMG_BUSY, "pending");
        (void)iimg_errors_handle(r);
        tap_ok(answered == pending, "an error that waits comes before the status");
    }
    work_end(context);
    return tap_done();
}
