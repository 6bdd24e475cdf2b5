/* http.c - send HTTP requests, one or several at a time, and wait for the responses. */
#include "base/http/http.h"

#include <stdlib.h>
#include <apr_reslist.h>
#include <apr_time.h>
#include "base/fault.h"
#include "base/http/transfer.h"

#define MOST_POLL 250 /* milliseconds between checks for a standstill */

bool iimg_http_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void iimg_http_stop(void)
{
    curl_global_cleanup();
}

/* Clients ------------------------------------------------------------------------------------- */

/* Handles that share the connections of `multi`. Belongs to one thread at a time. */
typedef struct client_t {
    CURLM *multi;
    CURL *easy[IIMG_HTTP_AT_ONCE];
} client_t;

struct iimg_http_clients_t {
    apr_reslist_t *list;
};

#define IDLE         apr_time_from_sec(60)
#define MOST_CLIENTS 4096 /* more than the threads of a child */

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
                              client_unwanted, NULL, pool)
                   == APR_SUCCESS
               ? clients
               : NULL;
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

/* @return whether the transfer has started */
static bool start_transfer(client_t *client, int slot, iimg_transfer_t *transfer)
{
    CURL **easy = &client->easy[slot];

    if (!*easy) {
        *easy = curl_easy_init();
    }
    transfer->curl = *easy;
    if (!*easy || !iimg_transfer_prepare(transfer, *easy)
        || curl_multi_add_handle(client->multi, *easy) != CURLM_OK) {
        return false;
    }
    transfer->response->outcome = IIMG_HTTP_BROKEN; /* until libcurl reports a result */
    transfer->response->problem = "libcurl reported no result";
    return true;
}

static void finish_transfers(client_t *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            iimg_transfer_finish(iimg_transfer_of(message->easy_handle), message->data.result);
            (void)IIMG_FAULT("http.answered");
        }
    }
}

static void run_transfers(client_t *client)
{
    CURLMcode rc;
    int running = 0;

    do {
        rc = curl_multi_perform(client->multi, &running);
        finish_transfers(client);
        if (rc == CURLM_OK && running) {
            rc = curl_multi_poll(client->multi, NULL, 0, MOST_POLL, NULL);
        }
    } while (rc == CURLM_OK && running);
}

static void end_transfer(client_t *client, iimg_transfer_t *transfer)
{
    if (transfer->curl) {
        curl_multi_remove_handle(client->multi, transfer->curl);
        curl_easy_reset(transfer->curl); /* drops its pointers into pools */
    }
}

void iimg_http_send_all(iimg_context_t *context, apr_pool_t *pool, iimg_http_clients_t *clients,
                        const iimg_http_request_t *requests, int count,
                        iimg_http_response_t **responses)
{
    iimg_transfer_t *transfers[IIMG_HTTP_AT_ONCE];
    client_t *client = client_borrow(clients);
    apr_pool_t *work;

    apr_pool_create(&work, pool);
    apr_pool_tag(work, "http");
    for (int i = 0; i < count; i++) {
        transfers[i] = iimg_transfer_create(pool, work, &requests[i]);
        responses[i] = transfers[i]->response;
        if (client && !start_transfer(client, i, transfers[i])) {
            end_transfer(client, transfers[i]);
            transfers[i]->curl = NULL;
        }
    }
    if (client) {
        run_transfers(client);
    }
    for (int i = 0; i < count; i++) {
        if (client) {
            end_transfer(client, transfers[i]);
        }
        iimg_transfer_log(context, transfers[i]);
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
