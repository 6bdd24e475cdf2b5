/* transfer.c - an HTTP request in libcurl: options, callbacks, result. */
#include "base/http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/fault.h"
#include "base/log.h"
#include "base/spool.h"

#define FIRST_BODY_SIZE 16384
#define MAX_HEADERS     100 /* further headers are ignored */

static apr_status_t drop_headers(void *data)
{
    curl_slist_free_all(((iimg_transfer_t *)data)->headers);
    return APR_SUCCESS;
}

static apr_status_t drop_body(void *data)
{
    free(((iimg_transfer_t *)data)->body);
    return APR_SUCCESS;
}

/* Callbacks of libcurl ------------------------------------------------------------------------- */

static size_t read_body(char *to, size_t size, size_t count, void *baton)
{
    iimg_transfer_t *transfer = baton;
    size_t room = size * count, given = 0;

    while (given < room && transfer->chunk < transfer->request->body_chunks) {
        const iimg_http_chunk_t *chunk = &transfer->request->body[transfer->chunk];
        size_t n = chunk->length - transfer->offset;

        n = n < room - given ? n : room - given;
        if (n > 0) {
            memcpy(to + given, chunk->data + transfer->offset, n);
        }
        given += n;
        (void)IIMG_FAULT("http.sending");
        transfer->offset += n;
        if (transfer->offset == chunk->length) {
            transfer->chunk++;
            transfer->offset = 0;
        }
    }
    return given;
}

/* libcurl rewinds to resend the body after a reused connection turned out to be closed. */
static int seek_body(void *baton, curl_off_t offset, int origin)
{
    iimg_transfer_t *transfer = baton;
    apr_size_t left = (apr_size_t)offset;

    if (origin != SEEK_SET || offset < 0 || offset > transfer->upload) {
        return CURL_SEEKFUNC_FAIL;
    }
    transfer->chunk = 0;
    while (transfer->chunk < transfer->request->body_chunks
           && left >= transfer->request->body[transfer->chunk].length) {
        left -= transfer->request->body[transfer->chunk++].length;
    }
    transfer->offset = left;
    return CURL_SEEKFUNC_OK;
}

/* A status line starts a new response: the headers of an interim one (1xx) are dropped. */
static size_t read_header(char *line, size_t size, size_t count, void *baton)
{
    iimg_transfer_t *transfer = baton;
    size_t length = size * count;
    const char *colon = memchr(line, ':', length);

    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        apr_table_clear(transfer->response->headers);
        transfer->head_done = false;
    }
    else if (length > 0 && (line[0] == '\r' || line[0] == '\n')) {
        transfer->head_done = true;
    }
    else if (colon && !transfer->head_done
             && apr_table_elts(transfer->response->headers)->nelts < MAX_HEADERS) {
        char *name = apr_pstrmemdup(transfer->pool, line, (apr_size_t)(colon - line));
        char *value = apr_pstrmemdup(transfer->pool, colon + 1,
                                     length - (apr_size_t)(colon + 1 - line));

        apr_collapse_spaces(name, name);
        value += strspn(value, " \t");
        value[strcspn(value, "\r\n")] = '\0';
        apr_table_mergen(transfer->response->headers, name, value);
    }
    return length;
}

static bool grow_body(iimg_transfer_t *transfer, apr_size_t more)
{
    apr_size_t size = transfer->size ? transfer->size : FIRST_BODY_SIZE;
    char *body;

    if (transfer->length + more < transfer->size) {
        return true;
    }
    while (size <= transfer->length + more) {
        size *= 2;
    }
    body = realloc(transfer->body, size);
    if (!body) {
        return false;
    }
    transfer->body = body;
    transfer->size = size;
    return true;
}

/* The follower may have written as much to the same file system. Without that there may be room for
 * a response that was paid for. */
static bool write_to_spool(const iimg_http_request_t *request, const char *from, apr_size_t length)
{
    if (iimg_spool_write(request->spool, from, length)) {
        return true;
    }
    if (request->follow) {
        request->follow(request->follower, NULL, 0);
    }
    return request->follow && iimg_spool_write(request->spool, from, length);
}

static bool store_body(iimg_transfer_t *transfer, const char *from, apr_size_t length)
{
    if (transfer->request->spool) {
        transfer->not_kept = !write_to_spool(transfer->request, from, length);
        return !transfer->not_kept;
    }
    if (!grow_body(transfer, length)) {
        return false;
    }
    memcpy(transfer->body + transfer->length, from, length);
    transfer->length += length;
    return true;
}

/* Count decoded bytes, so that the limit holds for compressed responses, too. */
static size_t receive_body(char *from, size_t size, size_t count, void *baton)
{
    iimg_transfer_t *transfer = baton;
    size_t length = size * count;

    if (length > transfer->request->max_response - transfer->received) {
        transfer->too_large = true;
        return 0;
    }
    transfer->received += length;
    if (!store_body(transfer, from, length)) {
        return 0;
    }
    if (transfer->request->follow) {
        transfer->request->follow(transfer->request->follower, from, length);
    }
    return length;
}

/* Called at each poll. @return not 0 to end the transfer */
static int check_progress(void *baton, curl_off_t size, curl_off_t received, curl_off_t whole,
                          curl_off_t sent)
{
    iimg_transfer_t *transfer = baton;
    apr_time_t now = apr_time_now();

    (void)size, (void)whole;
    if (received + sent != transfer->moved) {
        transfer->moved = received + sent;
        transfer->moved_at = now;
    }
    transfer->stands_still = now - transfer->moved_at >= transfer->request->standstill;
    return transfer->stands_still;
}

/* Setting up ---------------------------------------------------------------------------------- */

static bool add_header(iimg_transfer_t *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);

    transfer->headers = longer ? longer : transfer->headers;
    return longer != NULL;
}

static bool add_headers(iimg_transfer_t *transfer)
{
    const apr_array_header_t *lines = transfer->request->headers;
    /* No Expect: waiting a second for 100 Continue has no benefit. */
    bool added = add_header(transfer, "Expect:");

    for (int i = 0; added && lines && i < lines->nelts; i++) {
        added = add_header(transfer, APR_ARRAY_IDX(lines, i, const char *));
    }
    return added;
}

static bool has_body(const iimg_http_request_t *request)
{
    return request->body_chunks > 0 || strcmp(request->method, "POST") == 0
           || strcmp(request->method, "PUT") == 0;
}

static void set_method(iimg_transfer_t *transfer)
{
    const iimg_http_request_t *request = transfer->request;
    CURL *curl = transfer->curl;

    for (int i = 0; i < request->body_chunks; i++) {
        transfer->upload += (curl_off_t)request->body[i].length;
    }
    if (has_body(request)) {
        /* An upload with the method's name: CURLOPT_POST would add a Content-Type. */
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, transfer->upload);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
    }
    else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* With a bundle of CAs alone, libcurl loads it once for all requests of a multi handle. With a
 * directory of CAs, too, each connection loads the bundle again: 900 KB and 16 ms. */
static void set_trust(CURL *curl, const char *ca_file)
{
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);

    if (ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
    if (ca_file
        || (built->age >= CURLVERSION_SEVENTH && built->cainfo
            && access(built->cainfo, R_OK) == 0)) {
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
}

static void set_route(CURL *curl, const iimg_http_request_t *request)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->allow_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    /* An empty text disables proxies of the environment; NULL does not. */
    curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    set_trust(curl, request->ca_file);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* HTTP/2 has no benefit for one request per connection, and some front ends abort streams that
     * are idle while the provider works. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
}

/* @return milliseconds, at least 1: libcurl takes 0 for no limit */
static long time_left(const iimg_http_request_t *request)
{
    apr_interval_time_t whole = apr_time_from_sec(request->timeout);
    apr_interval_time_t left = request->deadline ? request->deadline - apr_time_now() : whole;

    left = left < whole ? left : whole;
    return left >= 1000 ? (long)apr_time_as_msec(left) : 1;
}

static void set_limits(CURL *curl, const iimg_http_request_t *request)
{
    /* No alarm(2) in a process with threads. */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)request->connect_timeout);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, time_left(request));
    /* The provider may send no byte for minutes: only the total time ends a transfer. TCP
     * keepalive prevents firewalls from dropping the connection. */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 15L);
    /* Checks Content-Length; receive_body counts the actual bytes. A response to HEAD has none. */
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
                     strcmp(request->method, "HEAD") == 0 ? (curl_off_t)0
                                                          : (curl_off_t)request->max_response);
}

static void watch_progress(iimg_transfer_t *transfer)
{
    if (transfer->request->standstill) {
        transfer->moved_at = apr_time_now();
        curl_easy_setopt(transfer->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(transfer->curl, CURLOPT_XFERINFOFUNCTION, check_progress);
        curl_easy_setopt(transfer->curl, CURLOPT_XFERINFODATA, transfer);
    }
}

static void set_receivers(iimg_transfer_t *transfer)
{
    CURL *curl = transfer->curl;

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->problem);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
}

/* Results ------------------------------------------------------------------------------------- */

static bool nothing_was_sent(CURL *curl)
{
    curl_off_t ready = 0;

    /* Set after name lookup, connection and TLS, before the request is sent. */
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
    return ready == 0;
}

static iimg_http_outcome_t outcome_of(const iimg_transfer_t *transfer, CURLcode rc)
{
    if (rc == CURLE_OK) {
        return IIMG_HTTP_OK;
    }
    if (transfer->too_large || rc == CURLE_FILESIZE_EXCEEDED) {
        return IIMG_HTTP_TOO_LARGE;
    }
    if (transfer->not_kept) {
        return IIMG_HTTP_NOT_KEPT;
    }
    if (nothing_was_sent(transfer->curl)) {
        return IIMG_HTTP_CONNECT;
    }
    return rc == CURLE_OPERATION_TIMEDOUT || transfer->stands_still ? IIMG_HTTP_TIMED_OUT
                                                                    : IIMG_HTTP_BROKEN;
}

static const char *problem_of(const iimg_transfer_t *transfer, CURLcode rc)
{
    if (rc == CURLE_OK) {
        return "";
    }
    if (transfer->too_large) {
        return apr_psprintf(transfer->pool, "more than %" APR_SIZE_T_FMT " bytes came",
                            transfer->request->max_response);
    }
    if (transfer->not_kept) {
        return apr_psprintf(transfer->pool, "the response cannot be spooled: %s",
                            strerror(transfer->request->spool->error));
    }
    if (transfer->stands_still) {
        return apr_psprintf(transfer->pool, "no data transferred for %d ms",
                            (int)apr_time_as_msec(transfer->request->standstill));
    }
    return apr_pstrdup(transfer->pool,
                       transfer->problem[0] ? transfer->problem : curl_easy_strerror(rc));
}

/* Read the first bytes of a spooled body, which error messages quote. */
static void read_head(iimg_http_response_t *response, apr_pool_t *pool)
{
    apr_size_t length = response->spool->length;
    char *head;

    length = length < IIMG_HTTP_HEAD ? length : IIMG_HTTP_HEAD;
    head = apr_palloc(pool, length + 1);
    response->length = iimg_spool_read(response->spool, 0, head, length);
    head[response->length] = '\0';
    response->body = head;
}

void iimg_transfer_finish(iimg_transfer_t *transfer, CURLcode rc)
{
    iimg_http_response_t *response = transfer->response;
    curl_off_t took = 0;
    long status = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->curl, CURLINFO_TOTAL_TIME_T, &took);
    response->status = (int)status;
    response->took = took;
    response->outcome = outcome_of(transfer, rc);
    response->problem = problem_of(transfer, rc);
    response->spool = transfer->request->spool;
    response->follower = transfer->request->follower;
    if (response->spool) {
        read_head(response, transfer->pool);
    }
    else if (transfer->body) {
        transfer->body[transfer->length] = '\0';
        response->body = transfer->body;
        response->length = transfer->length;
    }
}

/* The whole ----------------------------------------------------------------------------------- */

static iimg_http_response_t *response_create(apr_pool_t *pool)
{
    iimg_http_response_t *response = apr_pcalloc(pool, sizeof(*response));

    response->outcome = IIMG_HTTP_CONNECT;
    response->problem = "libcurl is out of memory";
    response->headers = apr_table_make(pool, 16);
    response->body = "";
    return response;
}

iimg_transfer_t *iimg_transfer_create(apr_pool_t *pool, apr_pool_t *work,
                                      const iimg_http_request_t *request)
{
    iimg_transfer_t *transfer = apr_pcalloc(pool, sizeof(*transfer));

    transfer->request = request;
    transfer->response = response_create(pool);
    transfer->pool = pool;
    apr_pool_cleanup_register(pool, transfer, drop_body, apr_pool_cleanup_null);
    apr_pool_cleanup_register(work, transfer, drop_headers, apr_pool_cleanup_null);
    return transfer;
}

bool iimg_transfer_prepare(iimg_transfer_t *transfer, CURL *curl)
{
    transfer->curl = curl;
    if (!add_headers(transfer)) {
        return false;
    }
    set_route(curl, transfer->request);
    set_limits(curl, transfer->request);
    set_method(transfer);
    set_receivers(transfer);
    watch_progress(transfer);
    return true;
}

iimg_transfer_t *iimg_transfer_of(CURL *curl)
{
    char *transfer = NULL;

    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &transfer);
    return (iimg_transfer_t *)transfer;
}

void iimg_transfer_log(iimg_context_t *context, const iimg_transfer_t *transfer)
{
    const iimg_http_request_t *request = transfer->request;
    const iimg_http_response_t *response = transfer->response;

    iimg_log(context, IIMG_LOG_TRACE, "%s %s -> %d, %" APR_SIZE_T_FMT " bytes, %d ms%s%s",
             request->method, request->url, response->status,
             response->spool ? response->spool->length : response->length,
             (int)apr_time_as_msec(response->took), *response->problem ? ": " : "",
             response->problem);
}
