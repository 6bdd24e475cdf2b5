/* request_test.c - server/http/request.c: contexts of requests and subrequests, request ids, and
 * the limits of uploads. */
#include "server/http/request.c"
#include <http_protocol.h>
#include "tap.h"
#include "work.h"

module identityimg_module;
static iimg_config_t config;
static iimg_location_t location = { IIMG_LOCATION_API, "/a b" };
static iimg_context_t *context;
static iimg_body_t body;
static iimg_error_t *body_error;
static apr_size_t asked_max;

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    (void)r;
    return &location;
}

const iimg_db_t *iimg_database_lender(apr_pool_t *pool, server_rec *server)
{
    (void)pool, (void)server;
    return NULL;
}

iimg_error_t *iimg_body_read(iimg_context_t *of, request_rec *r, const char *type,
                             apr_size_t max_upload, iimg_body_t *to)
{
    (void)of, (void)r, (void)type;
    asked_max = max_upload;
    *to = body;
    return body_error;
}

iimg_error_t *iimg_body_size_error(apr_pool_t *pool, apr_size_t size, apr_size_t most)
{
    return iimg_error(pool, IIMG_TOO_LARGE, "%d of %d", (int)size, (int)most);
}

char *ap_construct_url(apr_pool_t *pool, const char *uri, request_rec *r)
{
    (void)r;
    return apr_pstrcat(pool, "http://host", uri, NULL);
}

char *ap_os_escape_path(apr_pool_t *pool, const char *path, int partial)
{
    (void)partial;
    return strcmp(path, "/a b") == 0 ? apr_pstrdup(pool, "/a%20b") : apr_pstrdup(pool, path);
}

void ap_log_rerror_(const char *file, int line, int index, int level, apr_status_t status,
                    const request_rec *r, const char *format, ...)
{
    (void)file, (void)line, (void)index, (void)level, (void)status, (void)r, (void)format;
}

void ap_log_error_(const char *file, int line, int index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    (void)file, (void)line, (void)index, (void)level, (void)status, (void)server, (void)format;
}

static request_rec *request(const char *id)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    r->pool = context->pool;
    r->server = apr_pcalloc(context->pool, sizeof(*r->server));
    r->request_config = apr_pcalloc(context->pool, 8 * sizeof(void *));
    r->headers_in = apr_table_make(r->pool, 2);
    r->err_headers_out = apr_table_make(r->pool, 2);
    if (id) {
        apr_table_set(r->headers_in, "X-Request-Id", id);
    }
    return r;
}

static void test_ids(void)
{
    char longest[66];
    const struct {
        const char *id, *what;
        bool good;
    } cases[] = {
        { "azAZ09._-", "all characters", true },
        { longest + 1, "64 characters", true },
        { longest, "65 characters", false },
        { "", "nothing", false },
        { "a b", "a blank", false },
        { "a/b", "a slash", false },
        { "a\xc3\xbc", "UTF-8", false },
        { NULL, "no header", false },
    };

    memset(longest, 'x', 65);
    longest[65] = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].id);
        const char *id = iimg_context_of(r)->request_id;

        tap_ok(cases[i].good ? strcmp(id, cases[i].id) == 0 : strlen(id) == 36,
               "a request id of %s is %s", cases[i].what, cases[i].good ? "taken" : "replaced");
        tap_is(apr_table_get(r->err_headers_out, "X-Request-Id"), id,
               "a request id of %s is answered", cases[i].what);
        tap_ok(iimg_context_of(r) == iimg_context_of(r), "a request has one context");
    }
}

static void test_contexts(void)
{
    static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request_rec *r = request("one"), *again = request("two"), *below = request("three");

    apr_table_set(r->headers_in, "traceparent", parent);
    tap_is(iimg_context_of(r)->trace, parent, "a trace goes along");
    tap_is(iimg_context_of(again)->trace, NULL, "no trace");
    apr_table_set(below->headers_in, "traceparent", "nonsense");
    tap_is(iimg_context_of(below)->trace, NULL, "a trace that is none");
    tap_is(iimg_context_of(r)->base_url, "http://host", "a base URL by the request");
    config.base_url = "https://configured";
    tap_is(iimg_context_of(request(NULL))->base_url, "https://configured",
           "a base URL by directive");
    config.base_url = NULL;

    again = request("two");
    again->prev = r;
    tap_ok(iimg_context_of(again) == iimg_context_of(r), "a redirect has the same context");
    iimg_pending_error_set(r, iimg_error(context->pool, IIMG_BUSY, "no"));
    tap_ok(iimg_pending_error(again) == iimg_pending_error(r), "a redirect has the same error");

    r->user = (char *)"e\xcc\x81@x";
    tap_is(iimg_context_of(r)->login, "\xc3\xa9@x", "a login has one form");
    tap_is(iimg_login_form(context->pool, "\xff"), "\xff", "a login that is no UTF-8 stays");
    tap_is(iimg_login_form(context->pool, NULL), NULL, "no login");

    iimg_context_of(r)->login_proof = "proof";
    iimg_context_of(r)->login_token = "token";
    iimg_login_open_set(r, true);
    for (int i = 0; i < 3; i++) {
        below = request("below");
        below->main = r;
        below->user = i == 0 ? r->user : i == 1 ? (char *)"e\xcc\x81@x" : NULL;
        below->user = i == 1 ? apr_pstrdup(context->pool, below->user) : below->user;
        tap_ok(iimg_login_is_open(below) == (i == 0), "a subrequest %d: open or not", i);
        tap_is(iimg_context_of(below)->login_proof, i == 0 ? "proof" : NULL,
               "a subrequest %d: its proof", i);
        tap_is(iimg_context_of(below)->login_token, i == 0 ? "token" : NULL,
               "a subrequest %d: its token", i);
    }
    below = request("below");
    below->main = r;
    below->user = r->user;
    (void)iimg_context_of(below);
    iimg_login_open_set(below, false);
    tap_ok(!iimg_login_is_open(below), "a subrequest inherits once");
}

static iimg_request_t *wrapped(const char *args)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));

    req->r = request(NULL);
    req->r->args = args ? apr_pstrdup(context->pool, args) : NULL;
    apr_table_set(req->r->headers_in, "Content-Type", "multipart/form-data; boundary=x");
    req->context = context;
    req->config = &config;
    return req;
}

static void test_uploads(void)
{
    static const char form[] = "--x\r\nContent-Disposition: form-data; name=\"image\";"
                               " filename=\"f\"\r\n\r\n0123456789\r\n--x--\r\n";
    iimg_request_t *req;
    iimg_input_t *input;
    iimg_upload_t *upload;

    body = (iimg_body_t){ form, sizeof(form) - 1, 7 };
    for (int most = 9; most <= 10; most++) {
        iimg_error_t *err;

        config.max_upload = most;
        req = wrapped(NULL);
        tap_ok(!iimg_request_input(req, &input), "a form is read");
        tap_is_number(asked_max, most, "a form may have a picture of the most bytes");
        tap_ok(req->body_read && req->body_file == 7, "a body that was read is noted");
        err = iimg_request_required_upload(req, input, &upload);
        tap_ok((err == NULL) == (most == 10), "a picture of 10 bytes, at most %d: %s", most,
               err ? err->message : "taken");
    }
    tap_ok(upload->bytes.length == 10 && upload->bytes.file == 7 && upload->bytes.spare
               && memcmp(form + upload->bytes.offset, "0123456789", 10) == 0
               && strcmp(upload->filename, "f") == 0,
           "a picture lies in the body's file");
    body = (iimg_body_t){ "--x--\r\n", 7, -1 };
    req = wrapped(NULL);
    (void)iimg_request_form(req, &input);
    tap_is_number(asked_max, 0, "a form without pictures has no room for one");
    tap_ok(!iimg_request_upload(req, input, &upload) && !upload, "no picture is none");
    {
        iimg_error_t *err = iimg_request_required_upload(req, input, &upload);

        tap_ok(err && strcmp(err->code, "no_image") == 0 && strcmp(err->field, "image") == 0,
               "a picture that is required");
    }
    body_error = iimg_error(context->pool, IIMG_TIMEOUT, "late");
    req = wrapped(NULL);
    tap_ok(iimg_request_input(req, &input) == body_error && req->body_read,
           "a body that cannot be read is gone all the same");
    body_error = NULL;
}

static void test_scopes(void)
{
    static const char id[] = "0f0e0d0c-0b0a-4908-8706-050403020100";
    iimg_scope_t scope;

    iimg_request_scope(wrapped(NULL), &scope);
    tap_ok(!scope.user_id && !scope.problem, "no query, no scope");
    iimg_request_scope(wrapped(apr_pstrcat(context->pool, "user_id=", id, NULL)), &scope);
    tap_ok(scope.user_id && strcmp(scope.user_id, id) == 0 && !scope.problem, "another's scope");
    iimg_request_scope(wrapped("user_id=x"), &scope);
    tap_ok(scope.problem != NULL, "a scope that is no UUID");
    tap_is(iimg_request_api_url(wrapped(NULL)),
           apr_pstrcat(context->pool, context->base_url, "/a%20b", NULL), "the API's address");
}

static void test_created(void)
{
    iimg_context_t *made = iimg_context_create(context->pool, request(NULL)->server, "engine");

    tap_ok(made->pool == context->pool && made->services == &config.services
               && strcmp(made->base_url, "") == 0 && strcmp(made->request_id, "engine") == 0,
           "a context of no request has pool, services and name");
}

int main(void)
{
    context = work_begin();
    context->base_url = "https://x";
    identityimg_module.module_index = 3;
    iimg_multipart_start();
    test_ids();
    test_contexts();
    test_uploads();
    test_scopes();
    test_created();
    work_end(context);
    return tap_done();
}
