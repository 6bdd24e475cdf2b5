/* park.h - connections whose requests wait without a thread: the event MPM polls an eventfd for them. */
#ifndef IIMG_SERVER_PARK_H
#define IIMG_SERVER_PARK_H

#include "server/await.h"

/**
 * In the parent, while it starts: whether APR and httpd do what this stands on (docs/parking.md).
 * @return NULL, or why no connection can be parked
 */
const char *iimg_park_test(apr_pool_t *temporary);

/** Whether this request's connection could be parked, and there is a place; if so, that is taken. */
bool iimg_park_enter(iimg_request_t *req);
void iimg_park_leave(void);

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
