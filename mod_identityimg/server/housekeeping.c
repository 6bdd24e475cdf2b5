/* housekeeping.c - what has to be done from time to time, in one child at a time. */
#include "server/housekeeping.h"

#include <unistd.h>
#include <apr_atomic.h>
#include <apr_time.h>
#include "base/fault.h"
#include "base/log.h"
#include "functions/shared/sweep.h"
#include "models/idempotency_key.h"
#include "models/login_attempt.h"
#include "models/token.h"
#include "functions/shared/store_identity.h"

#define SWEEP_TIME apr_time_from_sec(20) /* a child that is to end waits for it */
#define PATIENCE   apr_time_from_sec(4)  /* the parent kills after ten */
#define ROUNDS     100 /* of some ten thousand rows; the others wait for the next time */

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

static apr_uint32_t busy; /* atomic: somebody keeps house */
static apr_uint32_t ends; /* atomic: this child does */

/* Who waits for a store that does not answer is not waited for: what it claimed is found by others.
 */
static apr_status_t finish(void *unused)
{
    apr_time_t deadline = apr_time_now() + PATIENCE;

    (void)unused;
    apr_atomic_set32(&ends, 1);
    iimg_sweep_stop();
    while (apr_atomic_read32(&busy) && apr_time_now() < deadline) {
        apr_sleep(APR_USEC_PER_SEC / 100);
    }
    if (apr_atomic_read32(&busy)) {
        _exit(0);
    }
    return APR_SUCCESS;
}

void iimg_housekeeping_start(apr_pool_t *pchild)
{
    apr_pool_pre_cleanup_register(pchild, NULL, finish);
}

static void keep_house(iimg_context_t *context)
{
    iimg_error_t *err = iimg_stored_object_expire(context);
    int left;

    if (!err) {
        err = forget(context, iimg_idempotency_key_expire);
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
    (void)IIMG_FAULT("sweep.expired");
    (void)iimg_sweep(context, SWEEP_TIME, &left);
}

void iimg_housekeep_store(iimg_context_t *context)
{
    apr_atomic_inc32(&busy);
    if (!apr_atomic_read32(&ends)) {
        (void)iimg_store_check(context); /* which has logged its error */
    }
    apr_atomic_dec32(&busy);
}

void iimg_housekeep(iimg_context_t *context)
{
    apr_atomic_inc32(&busy);
    if (!apr_atomic_read32(&ends)) {
        keep_house(context);
    }
    apr_atomic_dec32(&busy);
}
