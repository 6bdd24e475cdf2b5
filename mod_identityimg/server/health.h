/* health.h - whether this child should be sent requests. */
#ifndef IIMG_SERVER_HEALTH_H
#define IIMG_SERVER_HEALTH_H

#include "server/http/request.h"

/** Prepare, in a new child, while it has one thread. */
apr_status_t iimg_health_start(apr_pool_t *pool, server_rec *main_server);

/**
 * Whether requests that come in now could be answered: the child is not stopping, the database
 * answers and has the tables this build needs, the store is the database's, answers and takes
 * pictures, the worker decodes them. One request at a time checks, at most once a second for each
 * virtual host (a bucket and the worker once in five), within some ten seconds at most; all others
 * get the last result. A fault is logged once, when it begins. Errors: IIMG_NOT_READY, without the
 * reason.
 */
iimg_error_t *iimg_health_ready(iimg_request_t *req);

#endif
