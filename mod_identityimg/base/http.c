/* http.c - one HTTP request to another machine, through a libcurl easy handle of its own. */
#include "base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <curl/curl.h>
#include "base/log.h"

#define FIRST_BODY_SIZE 16384
#define MAX_HEADERS 100         /* more are received, and forgotten */

typedef struct transfer_t {
    const iimg_http_request_t *request;
    iimg_http_response_t *response;
    apr_pool_t *pool;           /* owns the response */
    CURL *curl;
    struct curl_slist *headers; /* as curl wants them */
    curl_off_t upload;          /* bytes of the request's body */
    int chunk;                  /* the piece being sent */
    apr_size_t offset;          /* bytes of it that are sent */
    char *body;                 /* what came so far; from malloc, dropped with the pool */
    apr_size_t length;
    apr_size_t size;            /* room in body */
    bool head_done;             /* the blank line came: what follows are trailers */
    bool too_large;
    char problem[CURL_ERROR_SIZE];
} transfer_t;

bool iimg_http_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static apr_status_t drop_curl(void *data)
{
    curl_easy_cleanup(data);
    return APR_SUCCESS;
}

static apr_status_t drop_headers(void *data)
{
    curl_slist_free_all(((transfer_t *)data)->headers);
    return APR_SUCCESS;
}

static apr_status_t drop_body(void *data)
{
    free(((transfer_t *)data)->body);
    return APR_SUCCESS;
}

/* What curl calls while it works -------------------------------------------------------------- */

static size_t read_body(char *to, size_t size, size_t count, void *baton)
{
    transfer_t *transfer = baton;
    size_t room = size * count, given = 0;

    while (given < room && transfer->chunk < transfer->request->body_chunks) {
        const iimg_http_chunk_t *chunk = &transfer->request->body[transfer->chunk];
        size_t n = chunk->length - transfer->offset;

        n = n < room - given ? n : room - given;
        if (n > 0) {
            memcpy(to + given, chunk->data + transfer->offset, n);
        }
        given += n;
        transfer->offset += n;
        if (transfer->offset == chunk->length) {
            transfer->chunk++;
            transfer->offset = 0;
        }
    }
    return given;
}

/* curl rewinds when it must send the body again, on a connection that turned out to be closed. */
static int seek_body(void *baton, curl_off_t offset, int origin)
{
    transfer_t *transfer = baton;
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

/* Each response begins with a status line: what an interim one (1xx) said is forgotten then. */
static size_t take_header(char *line, size_t size, size_t count, void *baton)
{
    transfer_t *transfer = baton;
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

static bool make_room(transfer_t *transfer, apr_size_t more)
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

/* Counts decoded bytes, so a compressed answer cannot blow up either. */
static size_t take_body(char *from, size_t size, size_t count, void *baton)
{
    transfer_t *transfer = baton;
    size_t length = size * count;

    if (length > transfer->request->max_response - transfer->length) {
        transfer->too_large = true;
        return 0;
    }
    if (!make_room(transfer, length)) {
        return 0;
    }
    memcpy(transfer->body + transfer->length, from, length);
    transfer->length += length;
    return length;
}

/* Setting up ---------------------------------------------------------------------------------- */

static bool add_header(transfer_t *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);

    transfer->headers = longer ? longer : transfer->headers;
    return longer != NULL;
}

static bool add_headers(transfer_t *transfer)
{
    const apr_array_header_t *lines = transfer->request->headers;
    /* No Expect: a second of waiting for 100 Continue buys nothing. */
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

static void set_method(transfer_t *transfer)
{
    const iimg_http_request_t *request = transfer->request;
    CURL *curl = transfer->curl;

    for (int i = 0; i < request->body_chunks; i++) {
        transfer->upload += (curl_off_t)request->body[i].length;
    }
    if (has_body(request)) {
        /* An upload under the method's name: unlike CURLOPT_POST it invents no Content-Type. */
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

static void set_route(CURL *curl, const iimg_http_request_t *request)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->allow_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    /* An empty text, unlike NULL, keeps the environment out. */
    curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* One request a connection: HTTP/2 has nothing to offer, and some front ends abort its idle
     * streams while the other side is still thinking. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
}

static void set_limits(CURL *curl, const iimg_http_request_t *request)
{
    /* Threads: curl must not use alarm(2). */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)request->connect_timeout);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->timeout);
    /* No byte may come for minutes: nothing but the total time ends a transfer, and keepalive
     * holds the path open through firewalls that forget. */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 15L);
    /* By Content-Length; take_body counts what really comes. */
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_response);
}

static void set_receivers(transfer_t *transfer)
{
    CURL *curl = transfer->curl;

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->problem);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
}

/* Sending ------------------------------------------------------------------------------------- */

static bool nothing_was_sent(CURL *curl)
{
    curl_off_t ready = 0;

    /* Set when name, proxy, connection and TLS are done and the request is about to go out. */
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
    return ready == 0;
}

static iimg_http_outcome_t outcome_of(const transfer_t *transfer, CURLcode rc)
{
    if (rc == CURLE_OK) {
        return IIMG_HTTP_OK;
    }
    if (transfer->too_large || rc == CURLE_FILESIZE_EXCEEDED) {
        return IIMG_HTTP_TOO_LARGE;
    }
    if (nothing_was_sent(transfer->curl)) {
        return IIMG_HTTP_CONNECT;
    }
    return rc == CURLE_OPERATION_TIMEDOUT ? IIMG_HTTP_TIMED_OUT : IIMG_HTTP_BROKEN;
}

static const char *problem_of(const transfer_t *transfer, CURLcode rc)
{
    if (rc == CURLE_OK) {
        return "";
    }
    if (transfer->too_large) {
        return apr_psprintf(transfer->pool, "more than %" APR_SIZE_T_FMT " bytes came",
                            transfer->request->max_response);
    }
    return apr_pstrdup(transfer->pool, transfer->problem[0] ? transfer->problem
                                                            : curl_easy_strerror(rc));
}

static void perform(transfer_t *transfer)
{
    iimg_http_response_t *response = transfer->response;
    CURLcode rc = curl_easy_perform(transfer->curl);
    long status = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    response->outcome = outcome_of(transfer, rc);
    response->problem = problem_of(transfer, rc);
    if (transfer->body) {
        transfer->body[transfer->length] = '\0';
        response->body = transfer->body;
        response->length = transfer->length;
    }
}

static iimg_http_response_t *response_create(apr_pool_t *pool)
{
    iimg_http_response_t *response = apr_pcalloc(pool, sizeof(*response));

    response->outcome = IIMG_HTTP_CONNECT;
    response->problem = "libcurl is out of memory";
    response->headers = apr_table_make(pool, 16);
    response->body = "";
    return response;
}

static transfer_t *transfer_create(apr_pool_t *pool, apr_pool_t *work,
                                   const iimg_http_request_t *request)
{
    transfer_t *transfer = apr_pcalloc(pool, sizeof(*transfer));

    transfer->request = request;
    transfer->response = response_create(pool);
    transfer->pool = pool;
    apr_pool_cleanup_register(pool, transfer, drop_body, apr_pool_cleanup_null);
    apr_pool_cleanup_register(work, transfer, drop_headers, apr_pool_cleanup_null);
    transfer->curl = curl_easy_init();
    if (transfer->curl) {
        apr_pool_cleanup_register(work, transfer->curl, drop_curl, apr_pool_cleanup_null);
    }
    return transfer;
}

iimg_http_response_t *iimg_http_send(iimg_context_t *context, apr_pool_t *pool,
                                     const iimg_http_request_t *request)
{
    apr_time_t began = apr_time_now();
    iimg_http_response_t *response;
    transfer_t *transfer;
    apr_pool_t *work;

    apr_pool_create(&work, pool);
    apr_pool_tag(work, "http");
    transfer = transfer_create(pool, work, request);
    response = transfer->response;
    if (transfer->curl && add_headers(transfer)) {
        set_route(transfer->curl, request);
        set_limits(transfer->curl, request);
        set_method(transfer);
        set_receivers(transfer);
        perform(transfer);
    }
    apr_pool_destroy(work);
    iimg_log(context, IIMG_LOG_TRACE, "%s %s -> %d, %" APR_SIZE_T_FMT " bytes, %d ms%s%s",
             request->method, request->url, response->status, response->length,
             (int)apr_time_as_msec(apr_time_now() - began), *response->problem ? ": " : "",
             response->problem);
    return response;
}
