/* body.c - reads a request's body: forms with files into a memory file, others into memory. */
#include "server/http/body.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>
#include "base/file.h"
#include "base/log.h"
#include "base/quantity.h"

#define BLOCK           65536
#define MEGABYTE        1048576
#define FIRST_ROOM      4096                  /* for a body of unknown length */
#define MAX_FORM        (1024 * 1024)         /* bytes of a body without files */
#define NOTE            "identityimg-expects" /* in r->notes: only we end the connection */
#define MULTIPART_EXTRA 65536 /* boundaries, headers and small fields beside the picture */

typedef struct receiver_t {
    iimg_context_t *context;
    request_rec *r;
    int fd;              /* receives each full buffer; -1: the buffer grows */
    char *buffer;        /* bytes that are not in fd yet */
    apr_size_t room;     /* size of the buffer */
    apr_size_t filled;   /* bytes in the buffer */
    apr_size_t received; /* of the body */
    apr_size_t max;
    apr_size_t shown_max; /* in messages: the limit of the picture alone */
} receiver_t;

static const struct {
    const char *type;
    bool multipart;
} types[] = {
    { "application/json", false },
    { "application/x-www-form-urlencoded", false },
    { "multipart/form-data", true },
};

iimg_error_t *iimg_body_size_error(apr_pool_t *pool, apr_size_t size, apr_size_t max)
{
    const char *sentence, *shown;
    const char *limit = iimg_megabytes_exact(pool, max);

    if (!size) {
        shown = limit ? limit : apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes", max);
        sentence = apr_psprintf(pool, "The upload is too large; at most %s are allowed.", shown);
    }
    else if (limit && size - max >= MEGABYTE / 10) {
        sentence = apr_psprintf(pool, "The upload has %s; at most %s are allowed.",
                                iimg_megabytes(pool, size, max), limit);
    }
    else {
        shown = limit ? apr_psprintf(pool, " (%s)", limit) : "";
        sentence = apr_psprintf(pool,
                                "The upload has %" APR_SIZE_T_FMT " bytes; at most %" APR_SIZE_T_FMT
                                "%s are allowed.",
                                size, max, shown);
    }
    return iimg_error_with_code(pool, IIMG_TOO_LARGE, "upload_too_large", "%s", sentence);
}

static bool has_body(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return apr_table_get(r->headers_in, "Transfer-Encoding")
           || (length && strspn(length, "0") != strlen(length));
}

void iimg_body_expect(request_rec *r)
{
    if (ap_is_initial_req(r) && has_body(r) && r->connection->keepalive != AP_CONN_CLOSE) {
        r->connection->keepalive = AP_CONN_CLOSE;
        apr_table_setn(r->notes, NOTE, "");
    }
}

/* httpd may end the connection for its own reasons, such as two lengths in one request. */
static void expect_no_more(request_rec *r)
{
    while (r->prev) {
        r = r->prev;
    }
    if (apr_table_get(r->notes, NOTE)) {
        r->connection->keepalive = AP_CONN_UNKNOWN;
    }
}

/* A compressed body is not decoded: its bytes would be misread. */
static iimg_error_t *check_encoding(iimg_context_t *context, const request_rec *r)
{
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    return !coding || !*coding || strcasecmp(coding, "identity") == 0
               ? NULL
               : iimg_error(context->pool, IIMG_UNSUPPORTED_TYPE,
                            "Unsupported content encoding \"%s\" in request.", coding);
}

/* The other parts of a form have room of their own: messages name the picture's limit. */
static iimg_error_t *choose_limit(receiver_t *in, const char *type, apr_size_t max_upload,
                                  bool *multipart)
{
    for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++) {
        size_t n = strlen(types[i].type);

        if (strncasecmp(type, types[i].type, n) == 0
            && (type[n] == '\0' || strchr("; \t,", type[n]))) {
            *multipart = types[i].multipart;
            in->max = types[i].multipart ? max_upload + MULTIPART_EXTRA : MAX_FORM;
            in->shown_max = types[i].multipart && max_upload ? max_upload : in->max;
            return NULL;
        }
    }
    return iimg_error(in->context->pool, IIMG_UNSUPPORTED_TYPE,
                      "Unsupported media type \"%s\" in request.", type ? type : "");
}

static iimg_error_t *refuse_declared_length(receiver_t *in)
{
    const char *length = apr_table_get(in->r->headers_in, "Content-Length");
    apr_int64_t n = length ? apr_atoi64(length) : 0;

    if (n > 0 && (apr_uint64_t)n > in->max) {
        return iimg_body_size_error(in->context->pool, (apr_size_t)n, in->shown_max);
    }
    return NULL;
}

static iimg_error_t *no_memory(receiver_t *in, const char *what, int error)
{
    return iimg_error_with_detail(in->context->pool, IIMG_UNAVAILABLE, NULL,
                                  "The server has no memory for the upload at the moment.",
                                  "%s: %s", what, strerror(error));
}

static iimg_error_t *flush_buffer(receiver_t *in)
{
    int error;

    if (in->fd < 0) {
        return NULL;
    }
    error = iimg_file_write_all(in->fd, in->buffer, in->filled);
    if (error) {
        return no_memory(in, "write", error);
    }
    in->filled = 0;
    return NULL;
}

static void grow_buffer(receiver_t *in, apr_size_t length)
{
    char *buffer;

    while (in->room - in->filled < length) {
        in->room *= 2;
    }
    buffer = apr_palloc(in->context->pool, in->room);
    memcpy(buffer, in->buffer, in->filled);
    in->buffer = buffer;
}

/* Sockets deliver 8000 bytes at a time. Writing whole pages takes a third of the time. */
static iimg_error_t *append(receiver_t *in, const char *data, apr_size_t length)
{
    if (in->fd < 0 && in->room - in->filled < length) {
        grow_buffer(in, length);
    }
    while (length > 0) {
        apr_size_t n = length < in->room - in->filled ? length : in->room - in->filled;

        memcpy(in->buffer + in->filled, data, n);
        in->filled += n;
        data += n;
        length -= n;
        if (in->filled == in->room) {
            iimg_error_t *err = flush_buffer(in);

            if (err) {
                return err;
            }
        }
    }
    return NULL;
}

/* Maps errors of httpd's input filters. */
static iimg_error_t *map_read_error(receiver_t *in, apr_status_t rv)
{
    apr_pool_t *pool = in->context->pool;
    int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    iimg_error_t *err;

    switch (status) {
    case HTTP_REQUEST_TIME_OUT:
        return iimg_error(pool, IIMG_TIMEOUT, "The request body did not arrive in time.");
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        return iimg_body_size_error(pool, 0, in->shown_max);
    case HTTP_BAD_REQUEST:
        return iimg_error_with_detail(pool, IIMG_INVALID, "parse_error",
                                      "The request body is cut short or malformed.",
                                      "reading the body: %pm", &rv);
    default:
        err = iimg_error(pool, IIMG_HTTP, "The request body could not be read.");
        err->http_status = status; /* AP_FILTER_ERROR: the answer was sent already */
        return err;
    }
}

static iimg_error_t *refuse_received_length(receiver_t *in, apr_size_t length)
{
    in->received += length;
    return in->received > in->max ? iimg_body_size_error(in->context->pool, 0, in->shown_max)
                                  : NULL;
}

static iimg_error_t *append_buckets(receiver_t *in, apr_bucket_brigade *brigade, bool *end)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(brigade); b != APR_BRIGADE_SENTINEL(brigade);
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t length;
        apr_status_t rv;
        iimg_error_t *err;

        if (APR_BUCKET_IS_EOS(b)) {
            *end = true;
            return NULL;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        rv = apr_bucket_read(b, &data, &length, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return map_read_error(in, rv);
        }
        err = refuse_received_length(in, length);
        if (err) {
            return err;
        }
        err = append(in, data, length);
        if (err) {
            return err;
        }
    }
    return NULL;
}

static iimg_error_t *receive(receiver_t *in)
{
    apr_bucket_brigade *brigade = apr_brigade_create(in->r->pool, in->r->connection->bucket_alloc);
    iimg_error_t *err = NULL;
    bool end = false;

    while (!err && !end) {
        apr_status_t rv = ap_get_brigade(in->r->input_filters, brigade, AP_MODE_READBYTES,
                                         APR_BLOCK_READ, BLOCK);

        err = rv == APR_SUCCESS ? append_buckets(in, brigade, &end) : map_read_error(in, rv);
        apr_brigade_cleanup(brigade);
    }
    return err;
}

static iimg_error_t *create_file(receiver_t *in, iimg_body_t *body)
{
    in->fd = iimg_file_create_in_memory("identityimg-body");
    if (in->fd < 0) {
        return no_memory(in, "memfd_create", errno);
    }
    iimg_file_close_with(in->context->pool, in->fd);
    body->file = in->fd;
    return NULL;
}

/* Bodies without files are small. They stay in memory while their request waits for a picture. */
static iimg_error_t *create_buffer(receiver_t *in, bool multipart, iimg_body_t *body)
{
    const char *length = apr_table_get(in->r->headers_in, "Content-Length");
    apr_int64_t n = length ? apr_atoi64(length) : 0;
    iimg_error_t *err = multipart ? create_file(in, body) : NULL;

    in->room = multipart ? BLOCK : n > 0 ? (apr_size_t)n : FIRST_ROOM;
    in->buffer = apr_palloc(in->context->pool, in->room);
    return err;
}

/* Copy on write: an original that loses its metadata is edited in place. */
static iimg_error_t *map_file(receiver_t *in, iimg_body_t *body)
{
    int error = iimg_file_seal(in->fd);

    if (error) {
        return no_memory(in, "F_ADD_SEALS", error);
    }
    body->data = iimg_file_map(in->context->pool, in->fd, body->length, PROT_READ | PROT_WRITE);
    return body->data ? NULL : no_memory(in, "mmap", errno);
}

static iimg_error_t *receive_into(receiver_t *in, iimg_body_t *body)
{
    iimg_error_t *err = receive(in);

    if (err) {
        return err;
    }
    err = flush_buffer(in);
    if (err) {
        return err;
    }
    body->length = in->received;
    body->data = in->buffer;
    return in->received > 0 && in->fd >= 0 ? map_file(in, body) : NULL;
}

/* All refusals that need no byte of the body, then the buffer for it. */
static iimg_error_t *prepare(receiver_t *in, const char *type, apr_size_t max_upload,
                             iimg_body_t *body)
{
    bool multipart = false;
    iimg_error_t *err = check_encoding(in->context, in->r);

    if (err) {
        return err;
    }
    err = choose_limit(in, type, max_upload, &multipart);
    if (err) {
        return err;
    }
    err = refuse_declared_length(in);
    if (err) {
        return err;
    }
    return create_buffer(in, multipart, body);
}

iimg_error_t *iimg_body_read(iimg_context_t *context, request_rec *r, const char *type,
                             apr_size_t max_upload, iimg_body_t *body)
{
    apr_time_t began = iimg_step_begin(context);
    receiver_t in = { .context = context, .r = r, .fd = -1 };
    iimg_error_t *err;

    *body = (iimg_body_t){ "", 0, -1 };
    if (!has_body(r)) {
        return NULL;
    }
    err = prepare(&in, type, max_upload, body);
    if (err) {
        return err;
    }
    err = receive_into(&in, body);
    iimg_step_end(context, began, "body", type);
    if (err) {
        return err;
    }
    expect_no_more(r);
    if (in.received == 0) {
        *body = (iimg_body_t){ "", 0, -1 };
    }
    return NULL;
}
