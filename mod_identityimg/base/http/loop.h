/* loop.h - thousands of slow HTTP requests in one thread: libcurl's multi socket interface on
 * epoll. */
#ifndef IIMG_BASE_HTTP_LOOP_H
#define IIMG_BASE_HTTP_LOOP_H

#include "base/http/http.h"

/** Belongs to one thread, but for iimg_http_loop_wake. */
typedef struct iimg_http_loop_t iimg_http_loop_t;

/** A request under way. */
typedef struct iimg_http_call_t iimg_http_call_t;

/**
 * @param pool ends it, with whatever is under way then: nobody is told
 * @return NULL when there are no descriptors or no memory
 */
iimg_http_loop_t *iimg_http_loop_create(apr_pool_t *pool);

/** Called in the loop's thread when a request is over, whatever became of it. */
typedef void (*iimg_http_ended_fn)(void *baton, iimg_http_response_t *response);

/**
 * Begin a request, under the rules of iimg_http_send, on a connection of its own: it is sent once.
 * @param pool    owns the response; neither it nor the request may end before `ended` is called
 * @param request its memory must stay until then, too
 * @return NULL when there is no memory: `ended` will not be called
 */
iimg_http_call_t *iimg_http_loop_send(iimg_http_loop_t *loop, apr_pool_t *pool,
                                      const iimg_http_request_t *request, iimg_http_ended_fn ended,
                                      void *baton);

/** Break a request off; `ended` will not be called. */
void iimg_http_loop_abort(iimg_http_loop_t *loop, iimg_http_call_t *call);

/**
 * Wait for something to do, and do it.
 * @param patience at most so long
 */
void iimg_http_loop_turn(iimg_http_loop_t *loop, apr_interval_time_t patience);

/** From any thread: let a turn that waits, or the next one, end now. */
void iimg_http_loop_wake(iimg_http_loop_t *loop);

#endif
