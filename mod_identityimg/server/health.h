/* health.h - whether this child can serve requests: the checks of health/ready/. */
#ifndef IIMG_SERVER_HEALTH_H
#define IIMG_SERVER_HEALTH_H

#include "server/http/request.h"

/** Initialize, in a new child, while it has one thread. */
apr_status_t iimg_health_start(apr_pool_t *pool, server_rec *main_server);

/**
 * Whether requests can be served now:
 *   - the child is not stopping
 *   - the database responds and has the schema of this build
 *   - the store responds, belongs to the database and accepts pictures
 *   - the worker decodes pictures
 * One request at a time checks, at most once a second for each virtual host (a bucket and the
 * worker every five seconds), within some ten seconds. Other requests get the last result. A fault
 * is logged once, when it begins. Errors: IIMG_NOT_READY, without the reason.
 */
iimg_error_t *iimg_health_ready(iimg_request_t *req);

#endif
