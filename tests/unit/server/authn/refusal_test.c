/* refusal_test.c - server/authn/refusal.c: the status for httpd, and when a session's cookie is
 * deleted. */
#include "server/authn/refusal.c"
#include "server/authn/presented_token.c"
#include "tap.h"
#include "work.h"

#define GOOD "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static iimg_context_t *context;
static const char *cookie;

static struct {
    iimg_error_t *pending;
    int challenged, cleared;
} world;

void iimg_pending_error_set(request_rec *r, iimg_error_t *err)
{
    (void)r;
    world.pending = err;
}

void iimg_challenge_set(request_rec *r)
{
    (void)r;
    world.challenged++;
}

const char *iimg_session_token(request_rec *r)
{
    (void)r;
    return cookie;
}

void iimg_session_clear(request_rec *r)
{
    (void)r;
    world.cleared++;
}

static request_rec *request(const char *header, const char *with_cookie)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&world, 0, sizeof(world));
    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    if (header) {
        apr_table_set(r->headers_in, "Authorization", header);
    }
    cookie = with_cookie;
    return r;
}

static void test_refuse(void)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_UNAUTHENTICATED, "no");

    err->code = "invalid_token";
    tap_is_number(iimg_authn_refuse(request(NULL, GOOD), err), 401, "wrong credentials: 401");
    tap_ok(world.pending == err && world.challenged == 1 && world.cleared == 1,
           "wrong credentials: an error, a challenge, and the cookie is deleted");
    err = iimg_error(context->pool, IIMG_UNAVAILABLE, "no");
    tap_is_number(iimg_authn_refuse(request(NULL, GOOD), err), 500, "no database: 500 for httpd");
    tap_ok(world.pending == err && !world.challenged && !world.cleared,
           "no database: an error and no challenge");
}

static void test_clear(void)
{
    static const struct {
        iimg_error_kind_t kind;
        const char *code, *header, *cookie;
        bool clears;
        const char *what;
    } cases[] = {
        { IIMG_UNAUTHENTICATED, "invalid_token", NULL, GOOD, true, "a dead session" },
        { IIMG_UNAUTHENTICATED, "invalid_token", NULL, "", true, "two sessions" },
        { IIMG_UNAUTHENTICATED, "invalid_token", NULL, NULL, false, "no session" },
        { IIMG_UNAUTHENTICATED, "invalid_token", "Bearer " GOOD, GOOD, false, "a dead token" },
        { IIMG_UNAUTHENTICATED, "other", NULL, GOOD, false, "another code" },
        { IIMG_UNAUTHENTICATED, NULL, NULL, GOOD, false, "no code" },
        { IIMG_FORBIDDEN, "invalid_token", NULL, GOOD, false, "another kind" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].header, cases[i].cookie);
        iimg_error_t *err = iimg_error(context->pool, cases[i].kind, "no");

        err->code = cases[i].code;
        iimg_authn_clear_session(r, err);
        tap_is_number(world.cleared, cases[i].clears, "%s: the cookie is %s", cases[i].what,
                      cases[i].clears ? "cleared" : "kept");
    }
}

int main(void)
{
    context = work_begin();
    test_refuse();
    test_clear();
    work_end(context);
    return tap_done();
}
