/* engine.h - who runs generation jobs, and how many at once. */
#ifndef IIMG_SERVER_ENGINE_H
#define IIMG_SERVER_ENGINE_H

#include "functions/admin/admin.h"
#include "server/request.h"

/** Name this process in the jobs it runs, in a new child, while it has one thread. */
void iimg_engine_start(apr_pool_t *pool, server_rec *main_server);

/**
 * Take part in generating: run one to its end in the request's own thread, or wait for that of an
 * earlier request with the same key. The job is a row of its own: a client that hangs up meanwhile
 * loses nothing. iimg_engine_leave ends it.
 * Errors: IIMG_BUSY when as many do in this child as may.
 */
iimg_error_t *iimg_engine_enter(iimg_request_t *req);
void iimg_engine_leave(void);

/**
 * What has to be done from time to time: sweep the store, fail jobs whose process is gone.
 * @param context of its own
 */
void iimg_engine_housekeep(iimg_context_t *context);

#endif
