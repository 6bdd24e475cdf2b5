/* body_test.c - server/http/body.c: limits, types and ends of bodies, in pieces of any size. */
#include "server/http/body.c"
#include <fcntl.h>
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static apr_bucket_alloc_t *buckets;
static bool initial;

/* Results and calls of the stubs. */
static struct {
    const char *data;
    size_t length, piece, given;
    apr_status_t fails_with; /* at the end of the data */
    int asked;
    apr_off_t block;
} input;

apr_status_t ap_get_brigade(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode,
                            apr_read_type_e block, apr_off_t most)
{
    size_t n = input.length - input.given;

    (void)filter, (void)mode, (void)block;
    input.asked++;
    input.block = most;
    n = n < input.piece ? n : input.piece;
    if (input.given == input.length && input.fails_with) {
        return input.fails_with;
    }
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(buckets));
    if (n) {
        APR_BRIGADE_INSERT_TAIL(brigade,
                                apr_bucket_transient_create(input.data + input.given, n, buckets));
    }
    input.given += n;
    if (input.given == input.length && !input.fails_with) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(buckets));
    }
    return APR_SUCCESS;
}

int ap_map_http_request_error(apr_status_t rv, int status)
{
    return rv == APR_TIMEUP   ? HTTP_REQUEST_TIME_OUT
           : rv == APR_ENOSPC ? HTTP_REQUEST_ENTITY_TOO_LARGE
           : rv == APR_EOF    ? HTTP_NOT_IMPLEMENTED
                              : status;
}

int ap_is_initial_req(request_rec *r)
{
    (void)r;
    return initial;
}

static request_rec *request(const char *data, size_t length, size_t piece, const char *declared)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&input, 0, sizeof(input));
    input.data = data;
    input.length = length;
    input.piece = piece;
    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 2);
    r->notes = apr_table_make(r->pool, 2);
    r->connection = apr_pcalloc(context->pool, sizeof(*r->connection));
    r->connection->bucket_alloc = buckets;
    r->connection->keepalive = AP_CONN_UNKNOWN;
    if (declared) {
        apr_table_set(r->headers_in, "Content-Length", declared);
    }
    else {
        apr_table_set(r->headers_in, "Transfer-Encoding", "chunked");
    }
    return r;
}

static const char *letters(size_t count)
{
    char *text = apr_palloc(context->pool, count + 1);

    for (size_t i = 0; i < count; i++) {
        text[i] = (char)('a' + i % 23);
    }
    text[count] = '\0';
    return text;
}

static void test_types(void)
{
    static const struct {
        const char *type;
        bool good, file;
    } cases[] = {
        { "application/json", true, false },
        { "Application/JSON; charset=utf-8", true, false },
        { "application/json,", true, false },
        { "application/json\t", true, false },
        { "application/json ", true, false },
        { "application/jsonx", false, false },
        { "application/jso", false, false },
        { "application/x-www-form-urlencoded", true, false },
        { "multipart/form-data; boundary=x", true, true },
        { "multipart/mixed", false, false },
        { "", false, false },
        { NULL, false, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_body_t body;
        iimg_error_t *err = iimg_body_read(context, request("abc", 3, 9, "3"), cases[i].type, 100,
                                           &body);

        tap_ok((err == NULL) == cases[i].good, "type %s is %s",
               cases[i].type ? cases[i].type : "(none)", cases[i].good ? "taken" : "refused");
        tap_ok((body.file >= 0) == cases[i].file, "type %s: a file or none",
               cases[i].type ? cases[i].type : "(none)");
        tap_ok(err ? err->kind == IIMG_UNSUPPORTED_TYPE && !input.asked
                   : body.length == 3 && memcmp(body.data, "abc", 3) == 0,
               "type %s: refused before it is read, or read whole",
               cases[i].type ? cases[i].type : "(none)");
    }
}

static void test_encodings(void)
{
    static const struct {
        const char *coding;
        bool good;
    } cases[] = {
        { "", true }, { "IDENTITY", true }, { "gzip", false }, { "identity,gzip", false }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request("{}", 2, 2, "2");
        iimg_body_t body;

        apr_table_set(r->headers_in, "Content-Encoding", cases[i].coding);
        tap_ok((iimg_body_read(context, r, "application/json", 9, &body) == NULL) == cases[i].good,
               "Content-Encoding \"%s\" is %s", cases[i].coding,
               cases[i].good ? "taken" : "refused");
    }
}

static void test_limits(void)
{
    static const struct {
        const char *type;
        apr_size_t max_upload, length;
        bool good;
        const char *limit;
    } cases[] = {
        { "application/json", 10, 1048576, true, NULL },
        { "application/json", 10, 1048577, false, "1.0 MB" },
        { "multipart/form-data; boundary=x", 100, 65636, true, NULL },
        { "multipart/form-data; boundary=x", 100, 65637, false, "100 bytes" },
        { "multipart/form-data; boundary=x", 0, 65536, true, NULL },
        { "multipart/form-data; boundary=x", 0, 65537, false, "65536 bytes" },
    };

    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        size_t row = i / 2;
        bool declared = i % 2;
        apr_size_t length = cases[row].length;
        const char *data = letters(length);
        iimg_body_t body;
        iimg_error_t *err = iimg_body_read(
            context,
            request(data, length, 8000,
                    declared ? apr_psprintf(context->pool, "%" APR_SIZE_T_FMT, length) : NULL),
            cases[row].type, cases[row].max_upload, &body);

        tap_ok((err == NULL) == cases[row].good, "%" APR_SIZE_T_FMT " bytes of %s, %s: %s", length,
               cases[row].type, declared ? "declared" : "in chunks",
               cases[row].good ? "taken" : "refused");
        tap_ok(err ? err->kind == IIMG_TOO_LARGE && strcmp(err->code, "upload_too_large") == 0
                         && (declared || strstr(err->message, cases[row].limit))
                   : body.length == length && memcmp(body.data, data, length) == 0,
               "%" APR_SIZE_T_FMT " bytes: whole, or the limit named", length);
        tap_ok(!err || (input.asked == 0) == declared,
               "%" APR_SIZE_T_FMT " bytes: a declared length is refused before it is read", length);
    }
}

static void test_pieces(void)
{
    static const size_t lengths[] = { 1, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 200000 };
    static const size_t pieces[] = { 1000, 4096, 65536, 300000 };

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const char *data = letters(lengths[i]);

        for (size_t j = 0; j < 2 * sizeof(pieces) / sizeof(pieces[0]); j++) {
            iimg_body_t body;
            bool multipart = j % 2;
            iimg_error_t *err = iimg_body_read(
                context, request(data, lengths[i], pieces[j / 2], NULL),
                multipart ? "multipart/form-data; boundary=x" : "application/json", 1000000, &body);

            tap_ok(!err && body.length == lengths[i] && memcmp(body.data, data, lengths[i]) == 0,
                   "%zu bytes in pieces of %zu, %s a file: read whole", lengths[i], pieces[j / 2],
                   multipart ? "in" : "without");
            if (multipart) {
                tap_is_number(lseek(body.file, 0, SEEK_END), lengths[i],
                              "%zu bytes: the file has as many", lengths[i]);
                tap_ok(fcntl(body.file, F_GET_SEALS) & F_SEAL_WRITE, "the file is sealed");
            }
        }
    }
    tap_is_number(input.block, 65536, "httpd is asked for blocks of 64 KiB");
}

static void test_none(void)
{
    static const char *const lengths[] = { "0", "000", NULL };
    iimg_body_t body;

    for (int i = 0; lengths[i]; i++) {
        tap_ok(!iimg_body_read(context, request("", 0, 1, lengths[i]), "text/x", 9, &body)
                   && body.length == 0 && body.file == -1 && !input.asked,
               "Content-Length %s is no body, whatever its type", lengths[i]);
    }
    tap_ok(!iimg_body_read(context, request("", 0, 1, NULL), "multipart/form-data; boundary=x", 9,
                           &body)
               && body.length == 0 && body.file == -1,
           "an empty form in chunks is no body");
    tap_ok(iimg_body_read(context, request("", 0, 1, "10"), "text/x", 9, &body) != NULL,
           "Content-Length 10 is a body");
}

static void test_failures(void)
{
    static const struct {
        apr_status_t status;
        iimg_error_kind_t kind;
        int http_status;
        const char *code;
    } cases[] = {
        { APR_TIMEUP, IIMG_TIMEOUT, 0, NULL },
        { APR_ENOSPC, IIMG_TOO_LARGE, 0, "upload_too_large" },
        { APR_EGENERAL, IIMG_INVALID, 0, "parse_error" },
        { APR_EOF, IIMG_HTTP, 501, NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request("abc", 3, 9, "9");
        iimg_body_t body;
        iimg_error_t *err;

        input.fails_with = cases[i].status;
        apr_table_setn(r->notes, NOTE, "");
        err = iimg_body_read(context, r, "application/json", 9, &body);
        tap_ok(err && err->kind == cases[i].kind && err->http_status == cases[i].http_status,
               "a body that fails with %d: kind %d", cases[i].status, cases[i].kind);
        tap_is(err ? err->code : NULL, cases[i].code, "a body that fails with %d: its code",
               cases[i].status);
        tap_is_number(r->connection->keepalive, AP_CONN_UNKNOWN,
                      "a body that fails leaves the connection's end as it was");
    }
}

static void test_await(void)
{
    static const struct {
        const char *what, *declared;
        bool chunked, is_initial, closing, ends;
    } cases[] = {
        { "a body", "5", false, true, false, true },
        { "a body in chunks", NULL, true, true, false, true },
        { "no body", "0", false, true, false, false },
        { "a subrequest", "5", false, false, false, false },
    };
    iimg_body_t body;
    request_rec *r, *later;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        r = request("abcde", 5, 9, cases[i].declared);
        initial = cases[i].is_initial;
        iimg_body_expect(r);
        tap_ok((r->connection->keepalive == AP_CONN_CLOSE) == cases[i].ends,
               "an answer before %s %s the connection", cases[i].what,
               cases[i].ends ? "ends" : "does not end");
        tap_ok((apr_table_get(r->notes, NOTE) != NULL) == cases[i].ends,
               "an answer before %s: noted or not", cases[i].what);
    }
    initial = true;
    r = request("{}", 2, 9, "2");
    r->connection->keepalive = AP_CONN_CLOSE;
    iimg_body_expect(r);
    tap_ok(!apr_table_get(r->notes, NOTE), "a connection that httpd ends is httpd's to end");
    (void)iimg_body_read(context, r, "application/json", 9, &body);
    tap_is_number(r->connection->keepalive, AP_CONN_CLOSE,
                  "a connection that httpd ends still ends after the body");
    r = request("{}", 2, 9, "2");
    iimg_body_expect(r);
    later = request("{}", 2, 9, "2");
    later->prev = r;
    later->connection = r->connection;
    (void)iimg_body_read(context, later, "application/json", 9, &body);
    tap_is_number(r->connection->keepalive, AP_CONN_UNKNOWN,
                  "a body that is read, also after a redirect, keeps the connection");
}

static void test_sentences(void)
{
    static const struct {
        apr_size_t size, most;
        const char *sentence;
    } cases[] = {
        { 0, 1048576, "The upload is too large; at most 1.0 MB are allowed." },
        { 0, 1000000, "The upload is too large; at most 1000000 bytes are allowed." },
        { 1048576 + 104857, 1048576, "The upload has 1.1 MB; at most 1.0 MB are allowed." },
        { 1048576 + 104856, 1048576,
          "The upload has 1153432 bytes; at most 1048576 (1.0 MB) are allowed." },
        { 3000000, 1000000, "The upload has 3000000 bytes; at most 1000000 are allowed." },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_is(iimg_body_size_error(context->pool, cases[i].size, cases[i].most)->message,
               cases[i].sentence, "%" APR_SIZE_T_FMT " bytes over a limit of %" APR_SIZE_T_FMT,
               cases[i].size, cases[i].most);
    }
}

int main(void)
{
    context = work_begin();
    buckets = apr_bucket_alloc_create(context->pool);
    test_types();
    test_encodings();
    test_limits();
    test_pieces();
    test_none();
    test_failures();
    test_await();
    test_sentences();
    work_end(context);
    return tap_done();
}
