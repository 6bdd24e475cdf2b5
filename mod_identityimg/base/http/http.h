/* http.h - HTTP requests to other machines, through libcurl. Only base/http*.c see curl.h. */
#ifndef IIMG_BASE_HTTP_HTTP_H
#define IIMG_BASE_HTTP_HTTP_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/error.h"

/** A piece of a request body; the memory stays the caller's and outlives the call. */
typedef struct iimg_http_chunk_t {
    const char *data;
    apr_size_t length;
} iimg_http_chunk_t;

/**
 * Called with each piece of a response's body, whatever its status, while it comes; with data NULL
 * when the body's spool has no room: the follower gives up, and back what it has written.
 */
typedef void (*iimg_http_follow_fn)(void *follower, const char *data, apr_size_t length);

typedef struct iimg_http_request_t {
    const char *method;                /* "GET", "POST", ... */
    const char *url;                   /* absolute, http or https */
    const apr_array_header_t *headers; /* const char *, "Name: value"; NULL: none */
    const iimg_http_chunk_t *body;     /* sent one after the other with one Content-Length */
    int body_chunks;                   /* 0: no body */
    const char *proxy;   /* URL of the proxy; NULL: none, whatever the environment says */
    bool allow_http;     /* else https is the only protocol */
    int connect_timeout; /* seconds */
    int timeout;         /* seconds for everything */
    apr_time_t deadline; /* by when all must be over, if that is sooner; 0: none */
    apr_interval_time_t standstill; /* give up when no byte moves for so long; 0: never */
    const char *ca_file;            /* PEM file of the CAs to trust; NULL: this machine's bundle */
    apr_size_t max_response;        /* bytes; more ends the transfer with IIMG_HTTP_TOO_LARGE */
    struct iimg_spool_t *spool;     /* takes the body, whatever the status; NULL: memory does */
    iimg_http_follow_fn follow;     /* is shown the body as well; or NULL */
    void *follower;
} iimg_http_request_t;

typedef enum {
    IIMG_HTTP_OK,        /* a whole response is there, whatever its status */
    IIMG_HTTP_CONNECT,   /* no connection (DNS, refused, TLS): nothing was sent */
    IIMG_HTTP_TIMED_OUT, /* no whole response in time, or a standstill */
    IIMG_HTTP_BROKEN,    /* the connection broke, or the response is no HTTP or cut short */
    IIMG_HTTP_TOO_LARGE, /* the response is over max_response */
    IIMG_HTTP_NOT_KEPT   /* this machine could not keep the response: no room to spool it */
} iimg_http_outcome_t;

typedef struct iimg_http_response_t {
    iimg_http_outcome_t outcome;
    const char *problem;        /* what curl said, for the log; "" when all went well */
    int status;                 /* of the final response; 0 when there is none */
    apr_table_t *headers;       /* of the final response */
    const char *body;           /* NUL behind it; "" when empty. With a spool: its beginning only,
                                 * at most IIMG_HTTP_HEAD bytes */
    apr_size_t length;          /* bytes in body */
    struct iimg_spool_t *spool; /* the request's: the whole body; NULL: body has it */
    void *follower;             /* the request's; NULL: nobody has followed */
    apr_interval_time_t took;   /* from the beginning to the end of this request */
} iimg_http_response_t;

/** Most bytes of a spooled response's body that are in memory as well. */
#define IIMG_HTTP_HEAD (64 * 1024)

/** Prepare libcurl, before any thread starts. @return whether it worked */
bool iimg_http_start(void);

/** The end of that, when all requests and clients are gone. */
void iimg_http_stop(void);

/**
 * The same as iimg_http_start, for a process that holds thousands of requests and ends with them:
 * their buffers are memory once something is in them, unless somebody else here has prepared
 * libcurl before. This library stays in memory from then on, whoever unloads it.
 */
bool iimg_http_start_for_good(void);

/**
 * Send one request and wait for the response. Redirects are never followed, environment proxies
 * never used, cookies never kept, certificates always verified. Compressed answers are decoded.
 * Never fails: what went wrong is in the outcome.
 * @param pool owns the response
 */
iimg_http_response_t *iimg_http_send(iimg_context_t *context, apr_pool_t *pool,
                                     const iimg_http_request_t *request);

/** Most requests that one call sends at the same time. */
#define IIMG_HTTP_AT_ONCE 8

/** Clients whose connections stay open for the next request; shared by threads. */
typedef struct iimg_http_clients_t iimg_http_clients_t;

/**
 * Make a place for clients. They are made when they are needed, each is lent to one thread at a
 * time, and what nobody needed for a minute is closed. Not to be carried over a fork.
 * @return NULL when there is no memory; all ends with the pool
 */
iimg_http_clients_t *iimg_http_clients_create(apr_pool_t *pool);

/**
 * As iimg_http_send, for several requests at the same time, in this thread.
 * @param clients   NULL: connections of its own, closed at the end
 * @param count     at most IIMG_HTTP_AT_ONCE
 * @param responses filled with one for each request
 */
void iimg_http_send_all(iimg_context_t *context, apr_pool_t *pool, iimg_http_clients_t *clients,
                        const iimg_http_request_t *requests, int count,
                        iimg_http_response_t **responses);

#endif
