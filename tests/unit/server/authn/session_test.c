/* session_test.c - server/authn/session.c: which cookie is a session's, over http and https. */
#include "server/authn/session.c"
#include "tap.h"
#include "work.h"

#define PLAIN  "identityimg_session"
#define SECURE "__Host-identityimg_session"
#define TOKEN  "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static iimg_context_t *context;

iimg_context_t *iimg_context_of(request_rec *r)
{
    (void)r;
    return context;
}

static request_rec *request_with(const char *base_url, const char *cookies)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    context->base_url = base_url;
    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    r->err_headers_out = apr_table_make(r->pool, 1);
    if (cookies) {
        apr_table_set(r->headers_in, "Cookie", cookies);
    }
    return r;
}

static void test_reading(void)
{
    static const struct {
        const char *base_url, *cookies, *token, *what;
    } cases[] = {
        { "http://x", NULL, NULL, "no cookie" },
        { "http://x", "", NULL, "an empty header" },
        { "http://x", PLAIN "=t", "t", "the cookie" },
        { "https://x", SECURE "=t", "t", "https's cookie" },
        { "https://x", PLAIN "=t", NULL, "http's cookie over https" },
        { "http://x", SECURE "=t", NULL, "https's cookie over http" },
        { "https://x", PLAIN "=u; " SECURE "=t", "t", "both over https" },
        { "http://x", PLAIN "=", "", "an empty value" },
        { "http://x", PLAIN, NULL, "a name without a value" },
        { "http://x", "a=b;" PLAIN "=t;c=d", "t", "one among others" },
        { "http://x", "a=b \t; \t" PLAIN "=t \t", "t", "blanks around it" },
        { "http://x", "x" PLAIN "=t", NULL, "a longer name" },
        { "http://x", PLAIN "x=t", NULL, "a name with more behind it" },
        { "http://x", "identityimg_sessiom=t", NULL, "a name with another last letter" },
        { "http://x", "a=b, " PLAIN "=t", NULL, "one within another's value" },
        { "http://x", PLAIN "=t=u", "t=u", "a value with an equals sign" },
        { "http://x", PLAIN "=t; " PLAIN "=t", "t", "the same twice" },
        { "http://x", PLAIN "=t; " PLAIN "=u", "", "two that differ" },
        { "http://x", PLAIN "=t; " PLAIN "=", "", "one and an empty one" },
        { "http://x", ";;; ; " PLAIN "=t;", "t", "one among nothing" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_is(iimg_session_token(request_with(cases[i].base_url, cases[i].cookies)),
               cases[i].token, "the token of %s", cases[i].what);
    }
    tap_is(iimg_session_hash(request_with("http://x", PLAIN "=" TOKEN)),
           "sha256:12f23d6b2cfa321bfe58397894c294f7a18e5e6dc794a2fafd744430da9aaf78",
           "its hash is SHA-256's");
    tap_is(iimg_session_hash(request_with("http://x", PLAIN "=" TOKEN "A")), NULL,
           "what has no token's form has none");
    tap_is(iimg_session_hash(request_with("http://x", NULL)), NULL, "nor has no cookie");
}

static void test_writing(void)
{
    request_rec *r = request_with("https://x", NULL);

    iimg_session_set(r, "t", 90);
    tap_is(apr_table_get(r->err_headers_out, "Set-Cookie"),
           SECURE "=t; Path=/; Max-Age=90; HttpOnly; SameSite=Strict; Secure",
           "over https a cookie is for https alone");
    r = request_with("http://x", NULL);
    iimg_session_set(r, "t", 90);
    tap_is(apr_table_get(r->err_headers_out, "Set-Cookie"),
           PLAIN "=t; Path=/; Max-Age=90; HttpOnly; SameSite=Strict", "over http it is not");
    r = request_with("http://x", NULL);
    iimg_session_clear(r);
    tap_is(apr_table_get(r->err_headers_out, "Set-Cookie"),
           PLAIN "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
           "it is taken away by an age of 0");
}

int main(void)
{
    context = work_begin();
    test_reading();
    test_writing();
    work_end(context);
    return tap_done();
}
