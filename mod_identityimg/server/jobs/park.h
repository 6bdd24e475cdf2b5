/* park.h - connections whose requests wait without a thread: the event MPM polls an eventfd for
 * them. */
#ifndef IIMG_SERVER_JOBS_PARK_H
#define IIMG_SERVER_JOBS_PARK_H

#include "server/jobs/wait.h"

/**
 * In the parent, when the MPM is configured: turn parking off where APR and httpd do not do what it
 * stands on (docs/parking.md), and find how many may be parked: as the operator says, else as leave
 * room in the MPM for other requests, and never more than there are descriptors for. Says so in the
 * log.
 */
void iimg_park_configure(apr_pool_t *temporary, server_rec *servers);

/** Whether this MPM can poll a connection for us. */
bool iimg_park_mpm_can_wait(void);

/**
 * Whether this request's connection could be parked, and there is a place; if so, that is taken,
 * and the connection keeps nothing that it frees until it is left. Best before the body is read.
 */
bool iimg_park_enter(iimg_request_t *req);
void iimg_park_leave(const iimg_request_t *req);

/**
 * Park a request that has a place: its handler returns SUSPENDED. It is answered when it is time.
 * @return false: there are no descriptors; the place is still taken
 */
bool iimg_park(iimg_request_t *req, const iimg_awaited_t *awaited);

/* Hooks: process_connection and resume_connection really first, suspend_connection really last. */
int iimg_park_process(conn_rec *c);
void iimg_park_suspend(conn_rec *c, request_rec *r);
void iimg_park_resume(conn_rec *c, request_rec *r);

#endif
