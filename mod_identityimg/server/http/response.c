/* response.c - sends responses, and logs errors. */
#include "server/http/response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "base/entity_tag.h"
#include "base/log.h"
#include "base/text.h"
#include "server/http/challenge.h"

APLOG_USE_MODULE(identityimg);

#define PROBLEM "application/problem+json"

typedef struct kind_t {
    int status;
    const char *code; /* default code */
    int retry_after;  /* seconds; 0: no header */
    iimg_log_level_t level;
    const char *tag; /* of log lines from warning up */
} kind_t;

static const kind_t kinds[] = {
    [IIMG_INVALID] = { 400, "invalid", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_UNAUTHENTICATED] = { 401, "not_authenticated", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_FORBIDDEN] = { 403, "permission_denied", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_NOT_FOUND] = { 404, "not_found", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_METHOD] = { 405, "method_not_allowed", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_TIMEOUT] = { 408, "timeout", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_CONFLICT] = { 409, "conflict", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_GONE] = { 410, "gone", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_PRECONDITION] = { 412, "precondition_failed", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_TOO_LARGE] = { 413, "too_large", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_UNSUPPORTED_TYPE] = { 415, "unsupported_media_type", 0, IIMG_LOG_DEBUG, NULL },
    [IIMG_REFUSED] = { 422, "refused", 0, IIMG_LOG_INFO, NULL },
    [IIMG_LIMITED] = { 429, "limited", 30, IIMG_LOG_INFO, NULL },
    [IIMG_INTERNAL] = { 500, "internal", 0, IIMG_LOG_ERROR, "IIMG0001" },
    [IIMG_UPSTREAM] = { 502, "upstream", 0, IIMG_LOG_ERROR, "IIMG0002" },
    [IIMG_UNAVAILABLE] = { 503, "unavailable", 5, IIMG_LOG_ERROR, "IIMG0003" },
    [IIMG_BUSY] = { 503, "busy", 15, IIMG_LOG_INFO, NULL },
    [IIMG_NOT_READY] = { 503, "not_ready", 5, IIMG_LOG_DEBUG, NULL },
    [IIMG_UPSTREAM_TIMEOUT] = { 504, "upstream_timeout", 0, IIMG_LOG_ERROR, "IIMG0004" },
    [IIMG_HTTP] = { 0, "", 0, IIMG_LOG_DEBUG, NULL },
};

/* Sending ------------------------------------------------------------------------------------- */

iimg_json_t *iimg_respond_begin(iimg_request_t *req, apr_size_t reserve)
{
    req->serializing = iimg_step_begin(req->context);
    return iimg_json_create(req->context->pool, reserve);
}

iimg_error_t *iimg_respond_signer(iimg_request_t *req, iimg_media_signer_t **signer)
{
    return iimg_media_sign(req->context, req->r->request_time, signer);
}

/* Responses have no ranges: httpd would send 206, or 416 with its own page. */
static void ignore_ranges(request_rec *r)
{
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "Request-Range");
}

/* One bucket and the end: one writev. */
static void send_bytes(request_rec *r, const char *data, apr_size_t length)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    ignore_ranges(r);
    ap_set_content_length(r, (apr_off_t)length);
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_pool_create(data, length, r->pool, r->connection->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(r->connection->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade); /* a client that disconnected is not an error */
}

#define NO_STORE "identityimg_no_store"

void iimg_respond_no_store(request_rec *r)
{
    apr_table_setn(r->notes, NO_STORE, "1");
}

static void set_common_headers(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control",
                   apr_table_get(r->notes, NO_STORE) ? "no-store" : "private, no-cache");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
}

static void send_json(request_rec *r, int status, const char *type, const iimg_json_t *json)
{
    r->status = status;
    ap_set_content_type(r, type);
    set_common_headers(r);
    send_bytes(r, json->text, json->length);
}

iimg_error_t *iimg_respond_json(iimg_request_t *req, int status, const iimg_json_t *json)
{
    iimg_step_end(req->context, req->serializing, "serialize", NULL);
    send_json(req->r, status, "application/json", json);
    return NULL;
}

iimg_error_t *iimg_respond_no_content(iimg_request_t *req)
{
    req->r->status = HTTP_NO_CONTENT;
    set_common_headers(req->r);
    return NULL;
}

iimg_error_t *iimg_respond_moved(iimg_request_t *req, const char *url)
{
    apr_table_setn(req->r->headers_out, "Location", url);
    req->r->status = HTTP_MOVED_PERMANENTLY;
    set_common_headers(req->r);
    ap_set_content_length(req->r, 0);
    return NULL;
}

int iimg_respond_status(const iimg_error_t *err)
{
    return err->http_status ? err->http_status : kinds[err->kind].status;
}

const char *iimg_respond_code(const iimg_error_t *err)
{
    return err->code ? err->code : kinds[err->kind].code;
}

/* A response without URLs does not expire. */
static const char *tag_of(const iimg_request_t *req, const char *version, bool has_urls)
{
    return iimg_entity_tag(req->r->pool, version,
                           has_urls ? iimg_media_epoch(req->context, req->r->request_time) : 0);
}

bool iimg_respond_has(const iimg_request_t *req, const char *version, bool has_urls)
{
    return req->r->method_number == M_GET
           && iimg_entity_tag_matches(apr_table_get(req->r->headers_in, "If-None-Match"),
                                      tag_of(req, version, has_urls));
}

bool iimg_respond_unchanged(iimg_request_t *req, const char *version, bool has_urls)
{
    request_rec *r = req->r;

    apr_table_setn(r->headers_out, "ETag", tag_of(req, version, has_urls));
    if (!iimg_respond_has(req, version, has_urls)) {
        return false;
    }
    r->status = HTTP_NOT_MODIFIED;
    set_common_headers(r);
    return true;
}

iimg_error_t *iimg_respond_document(iimg_request_t *req, const iimg_document_t *document)
{
    request_rec *r = req->r;
    const char *tag = apr_pstrcat(r->pool, "\"", document->digest, "\"", NULL);

    set_common_headers(r);
    apr_table_setn(r->headers_out, "Cache-Control", "public, max-age=300");
    apr_table_setn(r->headers_out, "ETag", tag);
    if (iimg_entity_tag_matches(apr_table_get(r->headers_in, "If-None-Match"), tag)) {
        r->status = HTTP_NOT_MODIFIED;
        return NULL;
    }
    ap_set_content_type(r, document->type);
    send_bytes(r, document->data, document->length);
    return NULL;
}

/* Errors -------------------------------------------------------------------------------------- */

/* The request line's method and path; an ErrorDocument's own request is always a GET. */
static const char *describe_request(const request_rec *r)
{
    const char *line;

    while (r->prev) {
        r = r->prev;
    }
    line = r->the_request ? r->the_request : "-";
    return apr_psprintf(r->pool, "%.*s %s", (int)strcspn(line, " "), line, r->uri ? r->uri : "-");
}

/* httpd writes the source position of debug lines only; bug reports need it, too. */
static const char *position(apr_pool_t *pool, const iimg_error_t *err, iimg_log_level_t level)
{
    return level <= IIMG_LOG_WARNING ? apr_psprintf(pool, " at %s:%d", err->file, err->line) : "";
}

static void log_error(request_rec *r, const iimg_context_t *context, const iimg_error_t *err)
{
    const kind_t *kind = &kinds[err->kind];
    const char *tag = err->tag ? err->tag : kind->tag;

    if (!iimg_log_enabled(context, kind->level)) {
        return;
    }
    iimg_log_write(context, err->file, err->line, kind->level, "%s%s%s: %s%s%s%s%s%s%s",
                   tag ? tag : "", tag ? ": " : "", describe_request(r), err->message,
                   err->detail ? " | " : "", err->detail ? err->detail : "",
                   err->sqlstate ? " [SQLSTATE " : "", err->sqlstate ? err->sqlstate : "",
                   err->sqlstate ? "]" : "", position(r->pool, err, kind->level));
}

static void set_error_headers(request_rec *r, const iimg_error_t *err)
{
    int retry = err->retry_after ? err->retry_after : kinds[err->kind].retry_after;

    if (retry) {
        apr_table_setn(r->headers_out, "Retry-After", apr_itoa(r->pool, retry));
    }
    if (err->allow) {
        apr_table_setn(r->headers_out, "Allow", err->allow);
    }
    if (err->kind == IIMG_UNAUTHENTICATED) {
        iimg_challenge_set(r);
    }
}

/* A message may quote input that is not UTF-8. */
static const char *as_utf8(apr_pool_t *pool, const char *text)
{
    char *out;

    if (iimg_text_is_utf8(text, strlen(text))) {
        return text;
    }
    out = apr_pstrdup(pool, text);
    for (char *p = out; *p; p++) {
        *p = (unsigned char)*p < 0x80 ? *p : '?';
    }
    return out;
}

/* RFC 9457: "about:blank" stands for the meaning of the status. */
static void write_problem(iimg_json_t *out, int status)
{
    const char *line = ap_get_status_line(status);

    iimg_json_member(out, "type", "about:blank");
    iimg_json_member(out, "title", line + strspn(line, "0123456789 "));
    iimg_json_key(out, "status");
    iimg_json_integer(out, status);
}

static bool is_of_field(const iimg_error_t *err, const char *field)
{
    return strcmp(err->field, field) == 0;
}

static void write_sentences(iimg_json_t *out, const iimg_error_t *err, const char *field)
{
    iimg_json_key(out, field);
    iimg_json_array_open(out);
    for (; err; err = err->more) {
        if (is_of_field(err, field)) {
            iimg_json_string(out, as_utf8(out->pool, err->message));
        }
    }
    iimg_json_array_close(out);
}

/* One member for each invalid field, in the order in which they were found. */
static void write_fields(iimg_json_t *out, const iimg_error_t *first)
{
    iimg_json_key(out, "errors");
    iimg_json_object_open(out);
    for (const iimg_error_t *err = first; err; err = err->more) {
        const iimg_error_t *same = first;

        while (!is_of_field(same, err->field)) {
            same = same->more;
        }
        if (same == err) {
            write_sentences(out, err, err->field);
        }
    }
    iimg_json_object_close(out);
}

static void write_error(iimg_json_t *out, const iimg_context_t *context, const iimg_error_t *err,
                        int problem_status)
{
    const char *message = as_utf8(out->pool, err->message);

    iimg_json_object_open(out);
    if (problem_status) {
        write_problem(out, problem_status);
    }
    iimg_json_member(out, "detail", message);
    iimg_json_member(out, "code", iimg_respond_code(err));
    if (err->field) {
        write_fields(out, err);
    }
    if (err->kind == IIMG_INTERNAL) {
        iimg_json_member(out, "request_id", context->request_id);
    }
    iimg_json_object_close(out);
}

/* A quality of 0 refuses a type (RFC 9110, 12.4.2). */
static bool is_refused(const char *parameters)
{
    const char *quality = strstr(parameters, ";q=0");

    return quality && atof(quality + strlen(";q=")) == 0;
}

/* Whether Accept names the type itself: a wildcard gets plain JSON, as in Django. httpd's items are
 * in lower case, without blanks around ';'. */
static bool accepts_problem(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Accept"), *item;
    size_t n = strlen(PROBLEM);

    while (header && (item = ap_get_list_item(r->pool, &header)) != NULL) {
        if (strncmp(item, PROBLEM, n) == 0 && (item[n] == '\0' || item[n] == ';')) {
            return !is_refused(item + n);
        }
    }
    return false;
}

int iimg_respond_error(request_rec *r, const iimg_context_t *context, const iimg_error_t *err)
{
    int status = iimg_respond_status(err);
    bool problem = accepts_problem(r);
    iimg_json_t *out = iimg_json_create(r->pool, 512);

    log_error(r, context, err);
    if (err->kind == IIMG_HTTP) {
        return err->http_status;
    }
    set_error_headers(r, err);
    write_error(out, context, err, problem ? status : 0);
    send_json(r, status, problem ? PROBLEM : "application/json", out);
    return OK;
}
