/* engine.h - who runs generation jobs, and how many at once. */
#ifndef IIMG_SERVER_ENGINE_H
#define IIMG_SERVER_ENGINE_H

#include "functions/admin/admin.h"
#include "server/request.h"

/** Name this process in the jobs it runs, in a new child, while it has one thread. */
void iimg_engine_start(apr_pool_t *pool, server_rec *main_server);

/**
 * Run a generation to its end in the request's own thread. The job is a row of its own: a client
 * that hangs up meanwhile loses nothing.
 * Errors: IIMG_BUSY when as many run in this child as may; else as
 * iimg_generate_identity_image.
 */
iimg_error_t *iimg_engine_generate(iimg_request_t *req, const iimg_generation_request_t *request,
                                   iimg_generation_t *generation);

/**
 * What has to be done from time to time: sweep the store, fail jobs whose process is gone.
 * @param context of its own
 */
void iimg_engine_housekeep(iimg_context_t *context);

#endif
