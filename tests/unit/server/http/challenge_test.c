/* challenge_test.c - server/http/challenge.c: what a 401 asks for, of whom. */
#include "server/http/challenge.c"
#include "tap.h"
#include "work.h"

static const char *type, *name;

const char *ap_auth_type(request_rec *r)
{
    (void)r;
    return type;
}

const char *ap_auth_name(request_rec *r)
{
    (void)r;
    return name;
}

char *ap_escape_quotes(apr_pool_t *pool, const char *text)
{
    return apr_pstrcat(pool, "escaped ", text, NULL);
}

#define BASIC   "Basic realm=\"api\", charset=\"UTF-8\""
#define BEARER  "Bearer realm=\"api\""
#define INVALID BEARER ", error=\"invalid_token\""

static const struct {
    const char *type, *sent, *mode, *with, *theirs, *asked;
} cases[] = {
    { NULL, NULL, NULL, NULL, NULL, BASIC },
    { "Basic", NULL, NULL, NULL, NULL, BASIC },
    { "basic", NULL, "navigate", NULL, NULL, BASIC },
    { "Basic", NULL, "cors", NULL, NULL, BEARER },
    { "Basic", NULL, NULL, "xmlhttprequest", NULL, BEARER },
    { "Basic", NULL, NULL, "other", NULL, BASIC },
    { "IdentityImg", NULL, NULL, NULL, NULL, BEARER },
    { "IdentityImg", "Bearer x", NULL, NULL, NULL, INVALID },
    { "IdentityImg", "bearer", NULL, NULL, NULL, INVALID },
    { "IdentityImg", "Bearerx", NULL, NULL, NULL, BEARER },
    { "IdentityImg", "Basic x", NULL, NULL, NULL, BEARER },
    { "Basic", "Bearer x", "cors", NULL, NULL, BEARER },
    { NULL, "Bearer x", "cors", NULL, NULL, BEARER },
    { "Basic", NULL, NULL, NULL, "Basic realm=\"theirs\"", "Basic realm=\"theirs\"" },
    { "Basic", NULL, "cors", NULL, "Basic realm=\"theirs\"", BEARER },
    { "Digest", NULL, "cors", NULL, "Digest realm=\"theirs\"", "Digest realm=\"theirs\"" },
};

int main(void)
{
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec r = { .pool = context->pool };

        r.headers_in = apr_table_make(r.pool, 3);
        r.err_headers_out = apr_table_make(r.pool, 1);
        type = cases[i].type;
        apr_table_setn(r.headers_in, cases[i].sent ? "Authorization" : "X-1",
                       cases[i].sent ? cases[i].sent : "");
        apr_table_setn(r.headers_in, cases[i].mode ? "Sec-Fetch-Mode" : "X-2",
                       cases[i].mode ? cases[i].mode : "");
        apr_table_setn(r.headers_in, cases[i].with ? "X-Requested-With" : "X-3",
                       cases[i].with ? cases[i].with : "");
        apr_table_setn(r.err_headers_out, cases[i].theirs ? "WWW-Authenticate" : "X-4",
                       cases[i].theirs ? cases[i].theirs : "");
        iimg_challenge_set(&r);
        tap_is(apr_table_get(r.err_headers_out, "WWW-Authenticate"), cases[i].asked,
               "AuthType %s, Authorization \"%s\", Sec-Fetch-Mode %s: what is asked for",
               type ? type : "(none)", cases[i].sent ? cases[i].sent : "",
               cases[i].mode ? cases[i].mode : "(none)");
    }
    name = "mine";
    for (int i = 0; i < 1; i++) {
        request_rec r = { .pool = context->pool,
                          .headers_in = apr_table_make(context->pool, 1),
                          .err_headers_out = apr_table_make(context->pool, 1) };

        type = "Basic";
        iimg_challenge_set(&r);
        tap_is(apr_table_get(r.err_headers_out, "WWW-Authenticate"),
               "Basic realm=\"escaped mine\", charset=\"UTF-8\"",
               "the realm is the Location's, with its quotes escaped");
    }
    work_end(context);
    return tap_done();
}
