/* media_test.c - server/http/media.c: which addresses are pictures, what is refused, and for how
 * long an answer may be kept. */
#include "server/http/media.c"
#include "tap.h"
#include "work.h"

#define KEY "media/0f0e0d0c-0b0a-4908-8706-050403020100/me.jpg"

static iimg_context_t *context;
static iimg_config_t config;
static iimg_error_t *pending;
static int shared, answered;
static char type[64];
static apr_time_t now = 1800000000000000;

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

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

void iimg_pending_error_set(request_rec *r, iimg_error_t *err)
{
    (void)r;
    pending = err;
}

void iimg_origin_share(request_rec *r)
{
    (void)r;
    shared++;
}

int iimg_respond_error(request_rec *r, const iimg_context_t *of, const iimg_error_t *err)
{
    (void)r, (void)of;
    answered += err == pending;
    return OK;
}

void ap_set_content_type(request_rec *r, const char *given)
{
    (void)r;
    apr_cpystrn(type, given, sizeof(type));
}

static const char *path_of(apr_pool_t *pool, const iimg_storage_t *storage, const char *key)
{
    (void)storage;
    return apr_pstrcat(pool, "/store/", key, NULL);
}

static const iimg_storage_driver_t with_paths = { .name = "file", .path = path_of };
static const iimg_storage_driver_t without = { .name = "s3" };

static request_rec *request(const char *uri, const char *args, int method)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    pending = NULL;
    shared = answered = 0;
    type[0] = '\0';
    r->pool = context->pool;
    r->uri = apr_pstrdup(r->pool, uri);
    r->args = args ? apr_pstrdup(r->pool, args) : NULL;
    r->method = "M";
    r->method_number = method;
    r->request_time = now;
    r->notes = apr_table_make(r->pool, 3);
    r->headers_out = apr_table_make(r->pool, 8);
    return r;
}

/* The query of a good address. */
static const char *signed_args(const char *download)
{
    iimg_media_signer_t *signer = iimg_media_signer_create(context->pool, config.services.media,
                                                           "https://x", now);

    return strchr(iimg_media_url(signer, KEY, download), '?') + 1;
}

static void test_paths(void)
{
    static const struct {
        const char *uri;
        bool enabled, files, ours;
    } cases[] = {
        { "/pictures/" KEY, true, true, true },    { "/pictures", true, true, false },
        { "/picture/" KEY, true, true, false },    { "/picturesx/" KEY, true, true, false },
        { "/x/pictures/" KEY, true, true, false }, { "/pictures/", true, true, true },
        { "/pictures/" KEY, false, true, false },  { "/pictures/" KEY, true, false, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].uri, NULL, M_GET);

        config.enabled = cases[i].enabled;
        config.services.storage.driver = cases[i].files ? &with_paths : &without;
        tap_is_number(iimg_media_translate(r), cases[i].ours ? OK : DECLINED, "%s is %s",
                      cases[i].uri, cases[i].ours ? "ours" : "not ours");
        tap_is_number(shared, cases[i].ours, "%s: shared with other origins or not", cases[i].uri);
        tap_is(pending ? pending->code : NULL, cases[i].ours ? "url_invalid" : NULL,
               "%s: refused without a signature", cases[i].uri);
        tap_is_number(iimg_media_map(r), cases[i].ours ? OK : DECLINED, "%s: the map's answer",
                      cases[i].uri);
        tap_is_number(iimg_media_type(r), cases[i].ours ? OK : DECLINED, "%s: the type's answer",
                      cases[i].uri);
        tap_is_number(iimg_media_headers(r), DECLINED, "%s: no headers", cases[i].uri);
        tap_is_number(iimg_media_handle(r), cases[i].ours ? OK : DECLINED,
                      "%s: the handler's answer", cases[i].uri);
    }
    config.enabled = true;
    config.services.storage.driver = &with_paths;
}

static void test_methods(void)
{
    static const struct {
        int method;
        bool good;
    } cases[] = { { M_GET, true },    { M_OPTIONS, true },   { M_POST, false },
                  { M_PUT, false },   { M_DELETE, false },   { M_PATCH, false },
                  { M_TRACE, false }, { M_PROPFIND, false }, { M_INVALID, false } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request("/pictures/" KEY, signed_args(NULL), cases[i].method);

        (void)iimg_media_translate(r);
        tap_ok((pending == NULL) == cases[i].good, "method %d is %s", cases[i].method,
               cases[i].good ? "taken" : "refused");
        tap_is(r->filename, cases[i].good ? "/store/" KEY : "identityimg:refused",
               "method %d: the file", cases[i].method);
        tap_is(pending ? pending->allow : NULL, cases[i].good ? NULL : "GET, HEAD, OPTIONS",
               "method %d: what is allowed", cases[i].method);
    }
}

static void test_answers(void)
{
    const char *args = signed_args(NULL);
    request_rec *r = request("/pictures/" KEY, args, M_GET);
    apr_int64_t expires = apr_atoi64(strstr(args, "e=") + 2);

    (void)iimg_media_translate(r);
    tap_is(r->canonical_filename, "/store/" KEY, "a picture's canonical file");
    tap_ok(iimg_media_type(r) == OK && strcmp(type, "image/jpeg") == 0, "a picture's type");
    tap_is(r->handler, "default-handler", "a picture is httpd's to deliver");
    r->request_time += apr_time_from_sec(5);
    tap_is_number(iimg_media_headers(r), OK, "a picture has headers");
    tap_is(apr_table_get(r->headers_out, "Cache-Control"),
           apr_psprintf(context->pool, "private, max-age=%ld, immutable",
                        (long)(expires - 1800000005)),
           "a picture may be kept as long as its address is good");
    tap_is(apr_table_get(r->headers_out, "Content-Disposition"), "inline", "a picture is shown");
    tap_is(apr_table_get(r->headers_out, "X-Content-Type-Options"), "nosniff", "nosniff");
    tap_is(apr_table_get(r->headers_out, "Content-Security-Policy"), "default-src 'none'; sandbox",
           "a picture runs nothing");
    tap_is(apr_table_get(r->headers_out, "Referrer-Policy"), "no-referrer", "no referrer");
    tap_is(apr_table_get(r->headers_out, "Cross-Origin-Resource-Policy"), "cross-origin",
           "other origins may show a picture");
    (void)iimg_media_map(r);
    tap_ok(pending && pending->kind == IIMG_NOT_FOUND && r->finfo.filetype == APR_NOFILE,
           "a picture whose file is missing");

    r = request("/pictures/" KEY, signed_args("me.jpg"), M_GET);
    (void)iimg_media_translate(r);
    (void)iimg_media_headers(r);
    tap_is(apr_table_get(r->headers_out, "Content-Disposition"), "attachment; filename=\"me.jpg\"",
           "a picture to download has its name");

    r = request("/pictures/" KEY, args, M_GET);
    r->request_time = apr_time_from_sec(expires + 1);
    (void)iimg_media_translate(r);
    tap_is(pending ? pending->code : NULL, "url_expired", "an address that has expired");
    (void)iimg_media_type(r);
    tap_ok(iimg_media_handle(r) == OK && answered == 1, "a refusal is answered");
    pending = NULL;
    tap_is_number(iimg_media_handle(r), HTTP_NOT_FOUND, "a refusal that is lost: 404");

    r = request("/pictures/" KEY, args, M_GET);
    (void)iimg_media_translate(r);
    r->filename = (char *)"/dev/null";
    (void)iimg_media_map(r);
    tap_ok(pending != NULL, "a device is no picture");
    pending = NULL;
    r->filename = (char *)"/etc/passwd";
    tap_ok(iimg_media_map(r) == OK && !pending && r->finfo.filetype == APR_REG, "a file is");
}

int main(void)
{
    const char *problem = NULL;

    context = work_begin();
    config.media_path = "/pictures";
    config.services.media = iimg_media_create(context->pool,
                                              "k1 000102030405060708090a0b0c0d0e0f"
                                              "101112131415161718191a1b1c1d1e1f\n",
                                              "/pictures", 900, &problem);
    tap_is(problem, NULL, "the secret is good");
    test_paths();
    test_methods();
    test_answers();
    work_end(context);
    return tap_done();
}
