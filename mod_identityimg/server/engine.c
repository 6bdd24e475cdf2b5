/* engine.c - who runs generation jobs, and how many at once. */
#include "server/engine.h"

#include <unistd.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "base/uuid.h"
#include "models/login_attempt.h"
#include "models/stored_object.h"
#include "models/token.h"

#define SWEEP_TIME apr_time_from_sec(20)        /* a child that is to end waits for it */

static apr_uint32_t running;            /* generations in this child; atomic */

void iimg_engine_start(apr_pool_t *pool, server_rec *main_server)
{
    char host[256] = "localhost";
    const char *owner;

    gethostname(host, sizeof(host) - 1);
    /* The uuid tells this process from an earlier one with the same number. */
    owner = apr_psprintf(pool, "%s/%ld/%.8s", host, (long)getpid(), iimg_uuid_create(pool));
    for (server_rec *server = main_server; server; server = server->next) {
        iimg_config_of(server)->services.owner = owner;
    }
}

static iimg_error_t *too_many(iimg_request_t *req)
{
    return iimg_error_code(iimg_error(req->context->pool, IIMG_BUSY,
                                      "The server is making as many pictures as it can. "
                                      "Try again in a moment."), "generations_busy");
}

iimg_error_t *iimg_engine_enter(iimg_request_t *req)
{
    if (apr_atomic_inc32(&running) >= (apr_uint32_t)req->config->max_generations) {
        apr_atomic_dec32(&running);
        return too_many(req);
    }
    return NULL;
}

void iimg_engine_leave(void)
{
    apr_atomic_dec32(&running);
}

#define ROUNDS 100          /* of some ten thousand rows; the others wait for the next time */

/* Rows that have had their time, until none is left. */
static iimg_error_t *forget(iimg_context_t *context,
                            iimg_error_t *(*some)(iimg_context_t *context, int *count))
{
    iimg_error_t *err = NULL;
    int count = 1;

    for (int i = 0; i < ROUNDS && count > 0 && !err; i++) {
        err = some(context, &count);
    }
    return err;
}

void iimg_engine_housekeep(iimg_context_t *context)
{
    int lost = 0;
    iimg_error_t *err = iimg_stored_object_expire(context);

    if (!err) {
        err = forget(context, iimg_idempotency_key_expire);
    }
    if (!err) {
        err = iimg_generation_job_fail_lost(context, &lost);
    }
    if (!err) {
        err = forget(context, iimg_token_expire);
    }
    if (!err) {
        err = forget(context, iimg_login_attempt_expire);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0104: housekeeping waits for the database: %s",
                 err->detail ? err->detail : err->message);
        return;
    }
    if (lost) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0105: %d generations were lost with the process "
                 "that ran them", lost);
    }
    (void)IIMG_FAULT("sweep.expired");
    (void)iimg_sweep(context, SWEEP_TIME);
}
