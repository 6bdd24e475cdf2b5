/* media.c - serves pictures: verifies a URL's signature, then httpd's default handler sends the
 * file. */
#include "server/http/media.h"

#include <string.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include "base/media_type.h"
#include "server/http/origin.h"
#include "server/http/request.h"
#include "server/http/response.h"

#define NOTE          "identityimg-media" /* in r->notes: the object's key */
#define NOTE_DOWNLOAD "identityimg-download"
#define NOTE_EXPIRES  "identityimg-expires"
#define HANDLER       "identityimg-media" /* of refused requests */

/* @return the path below IdentityImgMediaPath; NULL: another URI */
static const char *key_of_uri(const request_rec *r)
{
    const iimg_config_t *config = iimg_config_of(r->server);
    size_t n = config->media_path ? strlen(config->media_path) : 0;

    if (!config->enabled
        || !config->services.storage.driver->path
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the path has a default */
        || strncmp(r->uri, config->media_path, n) != 0 || r->uri[n] != '/') {
        return NULL;
    }
    return r->uri + n + 1;
}

static bool is_ours(const request_rec *r)
{
    return apr_table_get(r->notes, NOTE) != NULL;
}

static iimg_error_t *refusal(request_rec *r, iimg_media_verdict_t verdict)
{
    const char *sentence = verdict == IIMG_MEDIA_EXPIRED
                               ? "This picture's address has expired. Ask the API for a new one."
                               : "This picture's address is not valid.";

    return iimg_error_code(iimg_error(r->pool, IIMG_FORBIDDEN, "%s", sentence),
                           verdict == IIMG_MEDIA_EXPIRED ? "url_expired" : "url_invalid");
}

/* httpd's default handler answers a POST, too, if a module like mod_include is loaded. */
static iimg_error_t *refuse_method(request_rec *r)
{
    iimg_error_t *err = iimg_error(r->pool, IIMG_METHOD, "Method \"%s\" not allowed.", r->method);

    err->allow = "GET, HEAD, OPTIONS";
    return err;
}

int iimg_media_translate(request_rec *r)
{
    const iimg_config_t *config = iimg_config_of(r->server);
    const char *key = key_of_uri(r), *download;
    iimg_media_verdict_t verdict;
    apr_int64_t expires;

    if (!key) {
        return DECLINED;
    }
    apr_table_setn(r->notes, NOTE, key);
    iimg_origin_share(r);
    verdict = iimg_media_verify(r->pool, config->services.media, key, r->args, r->request_time,
                                &download, &expires);
    if (verdict != IIMG_MEDIA_GOOD) {
        iimg_pending_error_set(r, refusal(r, verdict));
    }
    else if (r->method_number != M_GET && r->method_number != M_OPTIONS) {
        iimg_pending_error_set(r, refuse_method(r));
    }
    if (iimg_pending_error(r)) {
        r->filename = apr_pstrdup(r->pool, "identityimg:refused");
        return OK;
    }
    apr_table_setn(r->notes, NOTE_EXPIRES, apr_psprintf(r->pool, "%" APR_INT64_T_FMT, expires));
    if (download) {
        apr_table_setn(r->notes, NOTE_DOWNLOAD, download);
    }
    r->filename = apr_pstrdup(
        r->pool, config->services.storage.driver->path(r->pool, &config->services.storage, key));
    r->canonical_filename = r->filename;
    return OK;
}

int iimg_media_map(request_rec *r)
{
    apr_status_t rv;

    if (!is_ours(r)) {
        return DECLINED;
    }
    if (iimg_pending_error(r)) {
        return OK;
    }
    rv = apr_stat(&r->finfo, r->filename, APR_FINFO_MIN, r->pool);
    if ((rv != APR_SUCCESS && rv != APR_INCOMPLETE) || r->finfo.filetype != APR_REG) {
        r->finfo.filetype = APR_NOFILE;
        iimg_pending_error_set(r, iimg_error(r->pool, IIMG_NOT_FOUND, "Not found."));
    }
    return OK;
}

int iimg_media_type(request_rec *r)
{
    const iimg_media_type_t *type;

    if (!is_ours(r)) {
        return DECLINED;
    }
    if (iimg_pending_error(r)) {
        r->handler = HANDLER;
        return OK;
    }
    type = iimg_media_type_by_extension(iimg_key_extension(apr_table_get(r->notes, NOTE)));
    ap_set_content_type(r, type ? type->media_type : "application/octet-stream");
    r->handler = "default-handler";
    return OK;
}

static void set_disposition(request_rec *r)
{
    const char *download = apr_table_get(r->notes, NOTE_DOWNLOAD);

    /* The name was signed by us: letters, digits, '-', '_' and a dot. */
    apr_table_setn(r->headers_out, "Content-Disposition",
                   download ? apr_psprintf(r->pool, "attachment; filename=\"%s\"", download)
                            : "inline");
}

int iimg_media_headers(request_rec *r)
{
    const char *expires;

    if (!is_ours(r) || iimg_pending_error(r)) {
        return DECLINED;
    }
    expires = apr_table_get(r->notes, NOTE_EXPIRES);
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy", "default-src 'none'; sandbox");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "cross-origin");
    /* Objects never change; a copy is valid as long as its URL. */
    apr_table_setn(r->headers_out, "Cache-Control",
                   apr_psprintf(r->pool, "private, max-age=%" APR_INT64_T_FMT ", immutable",
                                apr_atoi64(expires) - apr_time_sec(r->request_time)));
    set_disposition(r);
    return OK;
}

int iimg_media_handle(request_rec *r)
{
    iimg_error_t *err;

    if (!r->handler || strcmp(r->handler, HANDLER) != 0) {
        return DECLINED;
    }
    err = iimg_pending_error(r);
    return err ? iimg_respond_error(r, iimg_context_of(r), err) : HTTP_NOT_FOUND;
}
