/* service.c - the API's description and health, for anyone. */
#include "views/views.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include "base/json/json.h"
#include "openapi.h"
#include "server/health.h"
#include "server/http/response.h"

/* The URL in `servers` of openapi.json. The response has the real one, since client generators use
 * it as it stands. */
#define SERVER "\"url\": \"..\""

/* The URL of the server is part of the digest. */
static const char *digest_with(apr_pool_t *pool, const char *url)
{
    unsigned char digest[APR_MD5_DIGESTSIZE];
    const char *text = apr_pstrcat(pool, iimg_openapi_digest, " ", url, NULL);

    apr_md5(digest, text, strlen(text));
    return apr_pescape_hex(pool, digest, sizeof(digest), 0);
}

static const char *quote(apr_pool_t *pool, const char *text)
{
    iimg_json_t *out = iimg_json_create(pool, strlen(text) + 2);

    iimg_json_string(out, text);
    return apr_pstrmemdup(pool, out->text, out->length);
}

iimg_error_t *iimg_view_schema(iimg_request_t *req)
{
    apr_pool_t *pool = req->context->pool;
    const char *url = iimg_request_api_url(req), *server = strstr(iimg_openapi, SERVER);
    iimg_document_t document = { .type = "application/json", .digest = digest_with(pool, url) };

    if (!server) {
        return iimg_error_internal(pool, "openapi.json does not contain " SERVER);
    }
    document.data = apr_pstrcat(
        pool, apr_pstrmemdup(pool, iimg_openapi, (apr_size_t)(server - iimg_openapi)),
        "\"url\": ", quote(pool, url), server + strlen(SERVER), NULL);
    document.length = strlen(document.data);
    return iimg_respond_document(req, &document);
}

static iimg_error_t *answer_ok(iimg_request_t *req)
{
    iimg_json_t *out = iimg_respond_begin(req, 32);

    iimg_json_object_open(out);
    iimg_json_member(out, "status", "ok");
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_health_live(iimg_request_t *req)
{
    return answer_ok(req);
}

iimg_error_t *iimg_view_health_ready(iimg_request_t *req)
{
    iimg_error_t *err = iimg_health_ready(req);

    if (err) {
        return err;
    }
    return answer_ok(req);
}
