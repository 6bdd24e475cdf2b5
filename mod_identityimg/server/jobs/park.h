/* park.h - connections whose requests wait without a thread: the event MPM polls an eventfd in
 * place of their socket.
 *
 *     if (iimg_park_reserve(req)) {
 *         ... before the body is read, if possible ...
 *         if (iimg_park(req, &condition)) {
 *             return SUSPENDED from the handler;
 *         }
 *         iimg_park_release(req);
 *     }
 */
#ifndef IIMG_SERVER_JOBS_PARK_H
#define IIMG_SERVER_JOBS_PARK_H

#include "server/jobs/wait_condition.h"

/**
 * Once the MPM is configured, in the parent: turn parking off where APR or httpd do not support it
 * (docs/develop/parking.md), and compute how many requests may be parked in a child:
 * IdentityImgMaxParked, else what leaves room in the MPM for other requests, and never more than
 * there are file descriptors for. Logs both.
 */
void iimg_park_configure(apr_pool_t *temporary, server_rec *servers);

/** Whether this MPM can poll a connection for us. */
bool iimg_park_mpm_can_wait(void);

/**
 * Reserve a place if this request's connection can be parked. Until it is released, the connection
 * returns freed memory at once.
 */
bool iimg_park_reserve(iimg_request_t *req);
void iimg_park_release(const iimg_request_t *req);

/**
 * Park a request that has a place: its handler must return SUSPENDED. The request is answered when
 * the condition is met, at its deadline, or when the job is stuck.
 * @return false: no file descriptor; the place is still reserved
 */
bool iimg_park(iimg_request_t *req, const iimg_wait_condition_t *condition);

/* Hooks: process_connection and resume_connection really first, suspend_connection really last. */
int iimg_park_process(conn_rec *c);
void iimg_park_suspend(conn_rec *c, request_rec *r);
void iimg_park_resume(conn_rec *c, request_rec *r);

#endif
