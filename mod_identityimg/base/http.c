/* http.c - HTTP requests to other machines, one or several at a time, through libcurl. */
#include "base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_reslist.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <curl/curl.h>
#include "base/fault.h"
#include "base/log.h"

#define FIRST_BODY_SIZE 16384
#define MAX_HEADERS 100         /* more are received, and forgotten */
#define MOST_POLL 250           /* milliseconds until a standstill is looked for again */

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
    curl_off_t moved;           /* bytes that went either way */
    apr_time_t moved_at;        /* when the last of them did */
    bool stands_still;
    char problem[CURL_ERROR_SIZE];
} transfer_t;

bool iimg_http_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
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
        (void)IIMG_FAULT("http.sending");
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

/* Called with each piece, and with each poll. @return other than 0 to end the transfer */
static int look_at_progress(void *baton, curl_off_t size, curl_off_t received, curl_off_t whole,
                            curl_off_t sent)
{
    transfer_t *transfer = baton;
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
    if (request->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* One request a connection: HTTP/2 has nothing to offer, and some front ends abort its idle
     * streams while the other side is still thinking. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
}

/* Milliseconds; curl takes 0 for no limit. */
static long time_left(const iimg_http_request_t *request)
{
    apr_interval_time_t whole = apr_time_from_sec(request->timeout);
    apr_interval_time_t left = request->deadline ? request->deadline - apr_time_now() : whole;

    left = left < whole ? left : whole;
    return left >= 1000 ? (long)apr_time_as_msec(left) : 1;
}

static void set_limits(CURL *curl, const iimg_http_request_t *request)
{
    /* Threads: curl must not use alarm(2). */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)request->connect_timeout);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, time_left(request));
    /* No byte may come for minutes: nothing but the total time ends a transfer, and keepalive
     * holds the path open through firewalls that forget. */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 15L);
    /* By Content-Length; take_body counts what really comes. The length that HEAD tells never does. */
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, strcmp(request->method, "HEAD") == 0
                     ? (curl_off_t)0 : (curl_off_t)request->max_response);
}

static void watch_progress(transfer_t *transfer)
{
    if (transfer->request->standstill) {
        transfer->moved_at = apr_time_now();
        curl_easy_setopt(transfer->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(transfer->curl, CURLOPT_XFERINFOFUNCTION, look_at_progress);
        curl_easy_setopt(transfer->curl, CURLOPT_XFERINFODATA, transfer);
    }
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
    curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
}

/* Results ------------------------------------------------------------------------------------- */

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
    return rc == CURLE_OPERATION_TIMEDOUT || transfer->stands_still ? IIMG_HTTP_TIMED_OUT
                                                                    : IIMG_HTTP_BROKEN;
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
    if (transfer->stands_still) {
        return apr_psprintf(transfer->pool, "no byte moved for %d ms",
                            (int)apr_time_as_msec(transfer->request->standstill));
    }
    return apr_pstrdup(transfer->pool, transfer->problem[0] ? transfer->problem
                                                            : curl_easy_strerror(rc));
}

static void take_result(transfer_t *transfer, CURLcode rc)
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
    if (transfer->body) {
        transfer->body[transfer->length] = '\0';
        response->body = transfer->body;
        response->length = transfer->length;
    }
}

/* Clients ------------------------------------------------------------------------------------- */

/* Handles that run together; the connections belong to `multi`. Used by one thread at a time. */
typedef struct client_t {
    CURLM *multi;
    CURL *easy[IIMG_HTTP_AT_ONCE];
} client_t;

struct iimg_http_clients_t {
    apr_reslist_t *list;
};

#define IDLE apr_time_from_sec(60)
#define MOST_CLIENTS 4096       /* more than a child has threads */

static void client_destroy(client_t *client)
{
    for (int i = 0; client && i < IIMG_HTTP_AT_ONCE; i++) {
        curl_easy_cleanup(client->easy[i]);
    }
    if (client) {
        curl_multi_cleanup(client->multi);
        free(client);
    }
}

static client_t *client_create(void)
{
    client_t *client = calloc(1, sizeof(*client));
    bool made = client && (client->multi = curl_multi_init()) != NULL;

    if (made) {
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)IIMG_HTTP_AT_ONCE);
        return client;
    }
    free(client);
    return NULL;
}

static apr_status_t client_wanted(void **client, void *unused, apr_pool_t *pool)
{
    (void)unused, (void)pool;
    *client = client_create();
    return *client ? APR_SUCCESS : APR_ENOMEM;
}

static apr_status_t client_unwanted(void *client, void *unused, apr_pool_t *pool)
{
    (void)unused, (void)pool;
    client_destroy(client);
    return APR_SUCCESS;
}

iimg_http_clients_t *iimg_http_clients_create(apr_pool_t *pool)
{
    iimg_http_clients_t *clients = apr_pcalloc(pool, sizeof(*clients));

    return apr_reslist_create(&clients->list, 0, 0, MOST_CLIENTS, IDLE, client_wanted,
                              client_unwanted, NULL, pool) == APR_SUCCESS ? clients : NULL;
}

static client_t *client_borrow(iimg_http_clients_t *clients)
{
    void *client = NULL;

    if (!clients) {
        return client_create();
    }
    return apr_reslist_acquire(clients->list, &client) == APR_SUCCESS ? client : NULL;
}

static void client_return(iimg_http_clients_t *clients, client_t *client)
{
    if (clients && client) {
        apr_reslist_release(clients->list, client);
        return;
    }
    client_destroy(client);
}

/* Sending ------------------------------------------------------------------------------------- */

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
    return transfer;
}

/* @return whether it is under way */
static bool begin(client_t *client, int slot, transfer_t *transfer)
{
    CURL **easy = &client->easy[slot];

    if (!*easy) {
        *easy = curl_easy_init();
    }
    transfer->curl = *easy;
    if (!transfer->curl || !add_headers(transfer)) {
        return false;
    }
    set_route(transfer->curl, transfer->request);
    set_limits(transfer->curl, transfer->request);
    set_method(transfer);
    set_receivers(transfer);
    watch_progress(transfer);
    if (curl_multi_add_handle(client->multi, transfer->curl) != CURLM_OK) {
        return false;
    }
    transfer->response->outcome = IIMG_HTTP_BROKEN;     /* should libcurl never come to an end */
    transfer->response->problem = "libcurl gave up";
    return true;
}

static void take_results(client_t *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *transfer = NULL;

        if (message->msg == CURLMSG_DONE) {
            CURLcode rc = message->data.result;

            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            take_result((transfer_t *)transfer, rc);
            (void)IIMG_FAULT("http.answered");
        }
    }
}

static void run(client_t *client)
{
    CURLMcode rc;
    int running = 0;

    do {
        rc = curl_multi_perform(client->multi, &running);
        take_results(client);
        if (rc == CURLM_OK && running) {
            rc = curl_multi_poll(client->multi, NULL, 0, MOST_POLL, NULL);
        }
    } while (rc == CURLM_OK && running);
}

static void end(client_t *client, transfer_t *transfer)
{
    if (transfer->curl) {
        curl_multi_remove_handle(client->multi, transfer->curl);
        curl_easy_reset(transfer->curl);        /* its pointers into our pools end here */
    }
}

static void log_response(iimg_context_t *context, const iimg_http_request_t *request,
                         const iimg_http_response_t *response)
{
    iimg_log(context, IIMG_LOG_TRACE, "%s %s -> %d, %" APR_SIZE_T_FMT " bytes, %d ms%s%s",
             request->method, request->url, response->status, response->length,
             (int)apr_time_as_msec(response->took), *response->problem ? ": " : "",
             response->problem);
}

void iimg_http_send_all(iimg_context_t *context, apr_pool_t *pool, iimg_http_clients_t *clients,
                        const iimg_http_request_t *requests, int count,
                        iimg_http_response_t **responses)
{
    transfer_t *transfers[IIMG_HTTP_AT_ONCE];
    client_t *client = client_borrow(clients);
    apr_pool_t *work;

    apr_pool_create(&work, pool);
    apr_pool_tag(work, "http");
    for (int i = 0; i < count; i++) {
        transfers[i] = transfer_create(pool, work, &requests[i]);
        responses[i] = transfers[i]->response;
        if (client && !begin(client, i, transfers[i])) {
            end(client, transfers[i]);
            transfers[i]->curl = NULL;
        }
    }
    if (client) {
        run(client);
    }
    for (int i = 0; i < count; i++) {
        if (client) {
            end(client, transfers[i]);
        }
        log_response(context, &requests[i], responses[i]);
    }
    client_return(clients, client);
    apr_pool_destroy(work);
}

iimg_http_response_t *iimg_http_send(iimg_context_t *context, apr_pool_t *pool,
                                     const iimg_http_request_t *request)
{
    iimg_http_response_t *response;

    iimg_http_send_all(context, pool, NULL, request, 1, &response);
    return response;
}
