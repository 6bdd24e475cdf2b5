/* http.h - HTTP requests through libcurl. Only base/http/ includes curl.h. */
#ifndef IIMG_BASE_HTTP_HTTP_H
#define IIMG_BASE_HTTP_HTTP_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/error.h"

/** A piece of a request body. The caller keeps its memory until the request has ended. */
typedef struct iimg_http_chunk_t {
    const char *data;
    apr_size_t length;
} iimg_http_chunk_t;

/**
 * Called with each piece of a response's body as it arrives, for every status. Data is NULL when
 * the spool of the body has no room: the follower must stop and free what it has written.
 */
typedef void (*iimg_http_follow_fn)(void *follower, const char *data, apr_size_t length);

typedef struct iimg_http_request_t {
    const char *method;                /* "GET", "POST", ... */
    const char *url;                   /* absolute, http or https */
    const apr_array_header_t *headers; /* const char *, "Name: value"; NULL: none */
    const iimg_http_chunk_t *body;     /* the pieces of the body, in order */
    int body_chunks;                   /* 0: no body */
    const char *proxy;                 /* URL of the proxy; NULL: none, whatever the environment */
    bool allow_http;                   /* allow http beside https */
    int connect_timeout;               /* seconds */
    int timeout;                       /* seconds for the whole request */
    apr_time_t deadline;               /* end of the request, if earlier; 0: none */
    apr_interval_time_t standstill; /* abort when no byte is transferred for this long; 0: never */
    const char *ca_file;            /* PEM file of the trusted CAs; NULL: the system's bundle */
    apr_size_t max_response;        /* bytes; a longer response ends with IIMG_HTTP_TOO_LARGE */
    struct iimg_spool_t *spool;     /* receives the body, for every status; NULL: memory */
    iimg_http_follow_fn follow;     /* receives the body, too; or NULL */
    void *follower;
} iimg_http_request_t;

typedef enum {
    IIMG_HTTP_OK,        /* complete response of any status */
    IIMG_HTTP_CONNECT,   /* no connection (DNS, refused, TLS): nothing was sent */
    IIMG_HTTP_TIMED_OUT, /* no complete response in time, or a standstill */
    IIMG_HTTP_BROKEN,    /* the connection was lost, or the response is invalid or truncated */
    IIMG_HTTP_TOO_LARGE, /* the response exceeds max_response */
    IIMG_HTTP_NOT_KEPT   /* no room to spool the response */
} iimg_http_outcome_t;

typedef struct iimg_http_response_t {
    iimg_http_outcome_t outcome;
    const char *problem;        /* libcurl's message, for the log; "" on success */
    int status;                 /* of the final response; 0 when there is none */
    apr_table_t *headers;       /* of the final response */
    const char *body;           /* terminated by NUL. With a spool: only the first bytes, at
                                 * most IIMG_HTTP_HEAD */
    apr_size_t length;          /* bytes in body */
    struct iimg_spool_t *spool; /* of the request, with the whole body; or NULL */
    void *follower;             /* of the request; NULL if it did not follow */
    apr_interval_time_t took;   /* duration of the request */
} iimg_http_response_t;

/** Most bytes of a spooled body that are in memory, too. */
#define IIMG_HTTP_HEAD (64 * 1024)

/** Initialize libcurl, before any thread starts. @return whether it succeeded */
bool iimg_http_start(void);

/** Release libcurl, after all requests and clients have ended. */
void iimg_http_stop(void);

/**
 * Send a request and wait for the response. Redirects, proxies of the environment and cookies are
 * ignored; certificates are verified; compressed responses are decoded. Failures are in the
 * outcome.
 * @param pool owns the response
 */
iimg_http_response_t *iimg_http_send(iimg_context_t *context, apr_pool_t *pool,
                                     const iimg_http_request_t *request);

/** Most requests of a call. */
#define IIMG_HTTP_AT_ONCE 8

/** A pool of clients that reuse connections; shared by threads. */
typedef struct iimg_http_clients_t iimg_http_clients_t;

/**
 * Create a pool of clients. A client is created on demand, belongs to one thread at a time, and is
 * closed after a minute without use. Must not be used across a fork.
 * @return NULL when out of memory
 */
iimg_http_clients_t *iimg_http_clients_create(apr_pool_t *pool);

/**
 * Send several requests concurrently, as iimg_http_send does, and wait for all responses.
 * @param clients   NULL: new connections, closed at the end
 * @param count     at most IIMG_HTTP_AT_ONCE
 * @param responses one for each request
 */
void iimg_http_send_all(iimg_context_t *context, apr_pool_t *pool, iimg_http_clients_t *clients,
                        const iimg_http_request_t *requests, int count,
                        iimg_http_response_t **responses);

#endif
