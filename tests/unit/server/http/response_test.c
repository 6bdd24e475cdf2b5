/* response_test.c - server/http/response.c: status, code, log level and headers of each kind of
 * error, and what a client has already. */
#include "server/http/response.c"
#include "tap.h"
#include "work.h"

module identityimg_module;
static iimg_context_t *context;
static char sent[4096], type[64];
static apr_off_t sent_length;
static int challenged;

apr_status_t ap_pass_brigade(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    apr_size_t length = sizeof(sent) - 1;

    (void)filter;
    apr_brigade_flatten(brigade, sent, &length);
    sent[length] = '\0';
    return APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade)) ? APR_SUCCESS : APR_EGENERAL;
}

void ap_set_content_type(request_rec *r, const char *given)
{
    (void)r;
    apr_cpystrn(type, given, sizeof(type));
}

void ap_set_content_length(request_rec *r, apr_off_t length)
{
    (void)r;
    sent_length = length;
}

const char *ap_get_status_line(int status)
{
    return status == 500 ? "500 Internal Server Error" : "404 Not Found";
}

void iimg_challenge_set(request_rec *r)
{
    (void)r;
    challenged++;
}

/* One item, as httpd parses it: tests/t/problem.t has the forms of the header. */
char *ap_get_list_item(apr_pool_t *pool, const char **field)
{
    char *item = *field ? apr_pstrdup(pool, *field) : NULL;

    *field = NULL;
    return item;
}

static iimg_request_t *request(void)
{
    static iimg_services_t services;
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    context->services = &services;
    sent[0] = type[0] = '\0';
    sent_length = -1;
    challenged = 0;
    work_log_clear(context);
    r->pool = context->pool;
    r->method_number = M_GET;
    r->the_request = (char *)"GET /first HTTP/1.1";
    r->uri = (char *)"/x";
    r->headers_in = apr_table_make(r->pool, 2);
    r->headers_out = apr_table_make(r->pool, 2);
    r->notes = apr_table_make(r->pool, 2);
    r->connection = apr_pcalloc(r->pool, sizeof(*r->connection));
    r->connection->bucket_alloc = apr_bucket_alloc_create(r->pool);
    req->r = r;
    req->context = context;
    return req;
}

static const char *header(iimg_request_t *req, const char *name)
{
    return apr_table_get(req->r->headers_out, name);
}

static const struct {
    iimg_error_kind_t kind;
    int status;
    const char *code, *retry, *tag;
    iimg_log_level_t level;
} table[] = {
    { IIMG_INVALID, 400, "invalid", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_UNAUTHENTICATED, 401, "not_authenticated", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_FORBIDDEN, 403, "permission_denied", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_NOT_FOUND, 404, "not_found", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_METHOD, 405, "method_not_allowed", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_TIMEOUT, 408, "timeout", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_CONFLICT, 409, "conflict", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_GONE, 410, "gone", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_PRECONDITION, 412, "precondition_failed", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_TOO_LARGE, 413, "too_large", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_UNSUPPORTED_TYPE, 415, "unsupported_media_type", NULL, NULL, IIMG_LOG_DEBUG },
    { IIMG_REFUSED, 422, "refused", NULL, NULL, IIMG_LOG_INFO },
    { IIMG_LIMITED, 429, "limited", "30", NULL, IIMG_LOG_INFO },
    { IIMG_INTERNAL, 500, "internal", NULL, "IIMG0001: ", IIMG_LOG_ERROR },
    { IIMG_UPSTREAM, 502, "upstream", NULL, "IIMG0002: ", IIMG_LOG_ERROR },
    { IIMG_UNAVAILABLE, 503, "unavailable", "5", "IIMG0003: ", IIMG_LOG_ERROR },
    { IIMG_BUSY, 503, "busy", "15", NULL, IIMG_LOG_INFO },
    { IIMG_NOT_READY, 503, "not_ready", "5", NULL, IIMG_LOG_DEBUG },
    { IIMG_UPSTREAM_TIMEOUT, 504, "upstream_timeout", NULL, "IIMG0004: ", IIMG_LOG_ERROR },
};

static void test_kinds(void)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        iimg_request_t *req = request();
        iimg_error_t *err = iimg_error(context->pool, table[i].kind, "A sentence.");
        const work_line_t *line;

        tap_is_number(iimg_respond_error(req->r, context, err), OK, "kind %d is answered here",
                      table[i].kind);
        tap_is_number(req->r->status, table[i].status, "kind %d: its status", table[i].kind);
        tap_is(sent,
               apr_psprintf(context->pool, "{\"detail\":\"A sentence.\",\"code\":\"%s\"%s}",
                            table[i].code,
                            table[i].kind == IIMG_INTERNAL ? ",\"request_id\":\"test\"" : ""),
               "kind %d: its body", table[i].kind);
        tap_is_number(sent_length, strlen(sent), "kind %d: its length", table[i].kind);
        tap_is(header(req, "Retry-After"), table[i].retry, "kind %d: Retry-After", table[i].kind);
        tap_is_number(challenged, table[i].status == 401, "kind %d: a challenge for 401 alone",
                      table[i].kind);
        line = work_logged(context, "A sentence.");
        tap_ok(line && line->level == table[i].level, "kind %d: its level", table[i].kind);
        tap_ok(line
                   && strncmp(line->text, table[i].tag ? table[i].tag : "GET /x",
                              table[i].tag ? 10 : 6)
                          == 0,
               "kind %d: its tag", table[i].kind);
        tap_ok(line && (strstr(line->text, " at ") != NULL) == (table[i].level <= IIMG_LOG_WARNING),
               "kind %d: the source's position for errors alone", table[i].kind);
        tap_is(type, "application/json", "kind %d: its type", table[i].kind);
    }
}

static void test_error_details(void)
{
    iimg_request_t *req = request();
    iimg_error_t *err = iimg_error(context->pool, IIMG_LIMITED, "No \xff.");

    err->retry_after = 7;
    err->http_status = 417;
    err->code = "own";
    err->allow = "GET";
    err->tag = "IIMG9999";
    err->detail = "the detail";
    err->sqlstate = "12345";
    (void)iimg_respond_error(req->r, context, err);
    tap_is_number(req->r->status, 417, "an error's own status");
    tap_is(sent, "{\"detail\":\"No ?.\",\"code\":\"own\"}", "an error's own code, and UTF-8");
    tap_is(header(req, "Retry-After"), "7", "an error's own Retry-After");
    tap_is(header(req, "Allow"), "GET", "an error's Allow");
    tap_ok(work_logged(context, "IIMG9999: GET /x: ") != NULL, "an error's own tag");
    tap_ok(work_logged(context, " | the detail [SQLSTATE 12345]") != NULL,
           "an error's detail and SQLSTATE");
    tap_is(header(req, "Cache-Control"), "private, no-cache", "an error's Cache-Control");
    tap_is(header(req, "X-Content-Type-Options"), "nosniff", "an error's nosniff");

    req = request();
    err = iimg_error(context->pool, IIMG_HTTP, "Decided.");
    err->http_status = 501;
    tap_is_number(iimg_respond_error(req->r, context, err), 501, "httpd's own error is httpd's");
    tap_is(sent, "", "httpd's own error has no body");

    req = request();
    req->r->prev = request()->r;
    req->r->prev->uri = (char *)"/asked";
    req->r->prev->the_request = (char *)"POST /asked HTTP/1.1";
    (void)iimg_respond_error(req->r, context, iimg_error(context->pool, IIMG_INVALID, "No."));
    tap_ok(work_logged(context, "POST /asked: No.") != NULL,
           "an ErrorDocument's log line names what was asked for");
}

static void test_fields(void)
{
    iimg_request_t *req = request();
    iimg_error_t *first = iimg_error_field(iimg_error(context->pool, IIMG_INVALID, "One."), "a");

    first->more = iimg_error_field(iimg_error(context->pool, IIMG_INVALID, "Two."), "b");
    first->more->more = iimg_error_field(iimg_error(context->pool, IIMG_INVALID, "Three."), "a");
    (void)iimg_respond_error(req->r, context, first);
    tap_is(sent,
           "{\"detail\":\"One.\",\"code\":\"invalid\",\"errors\":{\"a\":[\"One.\",\"Three.\"],"
           "\"b\":[\"Two.\"]}}",
           "a member for each field, in the order in which they were found");
}

static void test_problem(void)
{
    iimg_request_t *req = request();

    apr_table_set(req->r->headers_in, "Accept", "application/problem+json");
    (void)iimg_respond_error(req->r, context, iimg_error(context->pool, IIMG_NOT_FOUND, "No."));
    tap_is(sent,
           "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"No.\","
           "\"code\":\"not_found\"}",
           "a problem document has type, title and status");
    tap_is(type, "application/problem+json", "a problem document has its type");
}

static void test_answers(void)
{
    iimg_request_t *req = request();
    iimg_json_t *json = iimg_respond_begin(req, 10);

    iimg_json_string(json, "x");
    apr_table_set(req->r->headers_in, "Range", "bytes=0-1");
    apr_table_set(req->r->headers_in, "Request-Range", "bytes=0-1");
    (void)iimg_respond_json(req, 201, json);
    tap_ok(req->r->status == 201 && strcmp(sent, "\"x\"") == 0, "JSON with a status");
    tap_ok(!apr_table_get(req->r->headers_in, "Range")
               && !apr_table_get(req->r->headers_in, "Request-Range"),
           "JSON has no parts");
    tap_ok(work_logged(context, "serialize") != NULL, "JSON's time is logged");

    req = request();
    iimg_respond_no_store(req->r);
    (void)iimg_respond_no_content(req);
    tap_is_number(req->r->status, 204, "no content");
    tap_is(header(req, "Cache-Control"), "no-store", "an answer that must not be stored");

    req = request();
    (void)iimg_respond_moved(req, "/there");
    tap_is_number(req->r->status, 301, "moved");
    tap_is(header(req, "Location"), "/there", "moved: to there");
    tap_is_number(sent_length, 0, "moved: without a body");
    tap_is(header(req, "X-Content-Type-Options"), "nosniff", "moved: nosniff");
}

static void test_unchanged(void)
{
    static const struct {
        const char *match;
        int method;
        bool unchanged;
        const char *what;
    } cases[] = {
        { "\"7.0\"", M_GET, true, "the same version" },
        { "\"7.0\"", M_PATCH, false, "the same version, a change" },
        { "\"8.0\"", M_GET, false, "another version" },
        { NULL, M_GET, false, "no version" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_request_t *req = request();

        req->r->status = 200;
        req->r->method_number = cases[i].method;
        if (cases[i].match) {
            apr_table_set(req->r->headers_in, "If-None-Match", cases[i].match);
        }
        tap_ok(iimg_respond_unchanged(req, "7", false) == cases[i].unchanged,
               "%s: unchanged or not", cases[i].what);
        tap_is_number(req->r->status, cases[i].unchanged ? 304 : 200, "%s: its status",
                      cases[i].what);
        tap_is(header(req, "ETag"), "\"7.0\"", "%s: its ETag", cases[i].what);
        tap_is(header(req, "Cache-Control"), cases[i].unchanged ? "private, no-cache" : NULL,
               "%s: its Cache-Control", cases[i].what);
    }
}

static void test_document(void)
{
    static const iimg_document_t document = {
        .type = "text/x", .digest = "abc", .data = "bytes", .length = 5
    };

    for (int same = 0; same < 2; same++) {
        iimg_request_t *req = request();

        req->r->status = 200;
        apr_table_set(req->r->headers_in, "If-None-Match", same ? "\"abc\"" : "\"abd\"");
        (void)iimg_respond_document(req, &document);
        tap_is_number(req->r->status, same ? 304 : 200, "a document that is %s",
                      same ? "known" : "new");
        tap_is(sent, same ? "" : "bytes", "a document: its bytes, or none");
        tap_is(header(req, "Cache-Control"), "public, max-age=300",
               "a document is cached for 300 s");
        tap_is(header(req, "ETag"), "\"abc\"", "a document's ETag");
        tap_is(header(req, "X-Content-Type-Options"), "nosniff", "a document's nosniff");
    }
}

int main(void)
{
    context = work_begin();
    test_kinds();
    test_error_details();
    test_fields();
    test_problem();
    test_answers();
    test_unchanged();
    test_document();
    work_end(context);
    return tap_done();
}
