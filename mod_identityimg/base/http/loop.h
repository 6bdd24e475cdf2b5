/* loop.h - an event loop for thousands of slow HTTP requests: libcurl's multi interface on epoll.
 */
#ifndef IIMG_BASE_HTTP_LOOP_H
#define IIMG_BASE_HTTP_LOOP_H

#include "base/http/http.h"

/*
 *   loop = iimg_http_loop_create(pool);
 *   call = iimg_http_loop_send(loop, pool, request, ended, baton);
 *   iimg_http_loop_turn(loop, patience);     again and again; calls `ended`
 *   iimg_http_loop_wake(loop);               from another thread, to end a turn
 */

/** Belongs to one thread, except for iimg_http_loop_wake. */
typedef struct iimg_http_loop_t iimg_http_loop_t;

/** A request in progress. */
typedef struct iimg_http_call_t iimg_http_call_t;

/**
 * Create a loop that ends with the pool. Requests in progress are then dropped without a call of
 * `ended`.
 * @return NULL when out of descriptors or memory
 */
iimg_http_loop_t *iimg_http_loop_create(apr_pool_t *pool);

/** Called in the loop's thread when a request has ended, whatever the outcome. */
typedef void (*iimg_http_ended_fn)(void *baton, iimg_http_response_t *response);

/**
 * Start a request as iimg_http_send does, but on a new connection: it is never sent twice.
 * @param pool    owns the response; must live until `ended` is called
 * @param request must live until then, too
 * @return NULL when out of memory: `ended` is not called
 */
iimg_http_call_t *iimg_http_loop_send(iimg_http_loop_t *loop, apr_pool_t *pool,
                                      const iimg_http_request_t *request, iimg_http_ended_fn ended,
                                      void *baton);

/** Abort a request. `ended` is not called. */
void iimg_http_loop_abort(iimg_http_loop_t *loop, iimg_http_call_t *call);

/**
 * Wait for events and process them.
 * @param patience the longest wait
 */
void iimg_http_loop_turn(iimg_http_loop_t *loop, apr_interval_time_t patience);

/** End the current or the next turn, from any thread. */
void iimg_http_loop_wake(iimg_http_loop_t *loop);

#endif
