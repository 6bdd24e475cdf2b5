/* origin_test.c - server/http/origin.c: whose pages may change something, and whose may read the
 * answers. */
#include "server/http/origin.c"
#include "tap.h"
#include "work.h"

static iimg_config_t config;
static iimg_context_t *context;

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

static iimg_request_t *request_with(const char *origin, const char *site, const char *method)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    r->headers_out = apr_table_make(r->pool, 1);
    r->err_headers_out = apr_table_make(r->pool, 1);
    req->r = r;
    req->context = context;
    if (origin) {
        apr_table_set(r->headers_in, "Origin", origin);
    }
    if (site) {
        apr_table_set(r->headers_in, "Sec-Fetch-Site", site);
    }
    if (method) {
        apr_table_set(r->headers_in, "Access-Control-Request-Method", method);
    }
    return req;
}

static const struct {
    const char *origin, *site;
    bool may;
} checks[] = {
    { NULL, NULL, true },
    { NULL, "same-origin", true },
    { NULL, "none", true },
    { NULL, "same-site", false },
    { NULL, "cross-site", false },
    { NULL, "", false },
    { "https://here", NULL, true },
    { "HTTPS://Here", NULL, true },
    { "https://here.evil", NULL, false },
    { "https://her", NULL, false },
    { "http://here", NULL, false },
    { "null", NULL, false },
    { "", NULL, false },
    { "https://evil", NULL, false },
    { "https://evil", "cross-site", false },
    { "https://evil", "same-origin", true },
    { "https://here", "cross-site", true },
    { "https://friend", NULL, true },
    { "https://Friend", "cross-site", true },
    { "https://second", "same-site", true },
    { "https://friend.evil", NULL, false },
    { "https://frien", NULL, false },
};

static void test_check(bool listed)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const char *origin = checks[i].origin;
        bool friend = origin
                      && (strcasecmp(origin, "https://friend") == 0
                          || strcmp(origin, "https://second") == 0);
        bool may = checks[i].may && (listed || !friend);
        iimg_error_t *err = iimg_origin_check(request_with(origin, checks[i].site, NULL));

        tap_is(err ? err->code : NULL, may ? NULL : "cross_site",
               "a page of %s, Sec-Fetch-Site %s, %s", origin ? origin : "(none)",
               checks[i].site ? checks[i].site : "(none)", may ? "may change" : "may not");
    }
}

static void test_sharing(bool listed)
{
    static const struct {
        const char *origin;
        bool shared;
    } cases[] = {
        { NULL, false },           { "https://friend", true }, { "https://second", true },
        { "https://evil", false }, { "https://here", false },  { "https://friend:444", false },
        { "null", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_request_t *req = request_with(cases[i].origin, NULL, "PATCH");
        bool shared = listed && cases[i].shared;

        iimg_origin_share(req->r);
        tap_is(apr_table_get(req->r->err_headers_out, "Access-Control-Allow-Origin"),
               shared ? cases[i].origin : NULL, "an answer to %s",
               cases[i].origin ? cases[i].origin : "no origin");
        tap_is(apr_table_get(req->r->err_headers_out, "Access-Control-Allow-Credentials"),
               shared ? "true" : NULL, "... with credentials or not");
        tap_is(apr_table_get(req->r->err_headers_out, "Vary"), listed ? "Origin" : NULL,
               "... is kept apart");
        iimg_origin_preflight(req, "GET, PATCH");
        tap_is(apr_table_get(req->r->headers_out, "Access-Control-Allow-Methods"),
               shared ? "GET, PATCH" : NULL, "... and what may be asked is told or not");
        req = request_with(cases[i].origin, NULL, NULL);
        iimg_origin_preflight(req, "GET, PATCH");
        tap_is(apr_table_get(req->r->headers_out, "Access-Control-Allow-Methods"), NULL,
               "... never without a preflight's header");
    }
}

int main(void)
{
    context = work_begin();
    context->base_url = "https://here";
    test_check(false);
    test_sharing(false);
    config.cors_origins = apr_array_make(context->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(config.cors_origins, const char *) = "https://friend";
    APR_ARRAY_PUSH(config.cors_origins, const char *) = "https://second";
    test_check(true);
    test_sharing(true);
    work_end(context);
    return tap_done();
}
