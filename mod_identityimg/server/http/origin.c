/* origin.c - cross-site requests: refuses writes, and shares responses with listed origins (CORS).
 */
#include "server/http/origin.h"

#include <string.h>
#include <strings.h>

#define REQUEST_HEADERS \
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, traceparent, " \
    "X-Request-Id"
#define RESPONSE_HEADERS \
    "Allow, Content-Location, ETag, Idempotent-Replayed, Location, Preference-Applied, " \
    "Retry-After, WWW-Authenticate, X-Request-Id"
#define PREFLIGHT_SECONDS "600"

static const char *origin_of(const request_rec *r)
{
    return apr_table_get(r->headers_in, "Origin");
}

static bool is_listed(const request_rec *r, const char *origin)
{
    const apr_array_header_t *listed = iimg_config_of(r->server)->cors_origins;

    for (int i = 0; listed && i < listed->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(listed, i, const char *), origin) == 0) {
            return true;
        }
    }
    return false;
}

/* err_headers_out: errors keep these headers. */
void iimg_origin_share(request_rec *r)
{
    const char *origin = origin_of(r);

    if (!iimg_config_of(r->server)->cors_origins) {
        return;
    }
    apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    if (origin && is_listed(r, origin)) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", origin);
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
        apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", RESPONSE_HEADERS);
    }
}

/* The browser sets this header; pages cannot. */
static bool is_same_site_by_fetch(const request_rec *r, bool *known)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");

    *known = site != NULL;
    return site && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0);
}

iimg_error_t *iimg_origin_check(const iimg_request_t *req)
{
    const char *origin = origin_of(req->r);
    bool known;

    if (is_same_site_by_fetch(req->r, &known) || (!known && !origin)) {
        return NULL;
    }
    if (origin && (strcasecmp(origin, req->context->base_url) == 0 || is_listed(req->r, origin))) {
        return NULL;
    }
    return iimg_error_with_code(req->context->pool, IIMG_FORBIDDEN, "cross_site",
                                "Cross-site request refused: pages of another origin may not "
                                "change anything here.");
}

void iimg_origin_preflight(const iimg_request_t *req, const char *methods)
{
    apr_table_t *out = req->r->headers_out;
    const char *origin = origin_of(req->r);

    if (!origin || !apr_table_get(req->r->headers_in, "Access-Control-Request-Method")
        || !is_listed(req->r, origin)) {
        return;
    }
    apr_table_setn(out, "Access-Control-Allow-Methods", methods);
    apr_table_setn(out, "Access-Control-Allow-Headers", REQUEST_HEADERS);
    apr_table_setn(out, "Access-Control-Max-Age", PREFLIGHT_SECONDS);
}
