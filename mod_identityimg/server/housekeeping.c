/* housekeeping.c - periodic cleanup of the database and the store, in one child at a time.
 *
 * mod_watchdog's thread calls it, and a cleanup of the child's pool stops it in the main thread. A
 * sweep must end within SWEEP_TIMEOUT; what it has claimed and not deleted is claimed again later.
 */
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

#define SWEEP_TIMEOUT apr_time_from_sec(20)
#define STOP_TIMEOUT  apr_time_from_sec(4) /* httpd's parent kills a child after ten */
#define MAX_ROUNDS    100                  /* of some ten thousand rows each */

static iimg_error_t *delete_expired(iimg_context_t *context,
                                    iimg_error_t *(*some)(iimg_context_t *context, int *count))
{
    iimg_error_t *err = NULL;
    int count = 1;

    for (int i = 0; i < MAX_ROUNDS && count > 0 && !err; i++) {
        err = some(context, &count);
    }
    return err;
}

static apr_uint32_t busy;     /* atomic: calls in progress */
static apr_uint32_t stopping; /* atomic: this child ends */

/* A store that does not respond must not delay the end: other processes find what was claimed. */
static apr_status_t finish(void *unused)
{
    apr_time_t deadline = apr_time_now() + STOP_TIMEOUT;

    (void)unused;
    apr_atomic_set32(&stopping, 1);
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

static iimg_error_t *delete_all_expired(iimg_context_t *context)
{
    iimg_error_t *err = iimg_stored_object_expire(context);

    if (err) {
        return err;
    }
    err = delete_expired(context, iimg_idempotency_key_expire);
    if (err) {
        return err;
    }
    err = delete_expired(context, iimg_token_expire);
    if (err) {
        return err;
    }
    return delete_expired(context, iimg_login_attempt_expire);
}

static void clean_up(iimg_context_t *context)
{
    iimg_error_t *err = delete_all_expired(context);
    int left;

    if (err) {
        iimg_log(
            context, IIMG_LOG_WARNING,
            "IIMG0104: cannot delete expired rows: %s; retried at the next interval: check the "
            "database",
            err->detail ? err->detail : err->message);
        return;
    }
    (void)IIMG_FAULT("sweep.expired");
    (void)iimg_sweep(context, SWEEP_TIMEOUT, &left);
}

void iimg_housekeep_store(iimg_context_t *context)
{
    apr_atomic_inc32(&busy);
    if (!apr_atomic_read32(&stopping)) {
        (void)iimg_store_check(context); /* it logs its error */
    }
    apr_atomic_dec32(&busy);
}

void iimg_housekeep(iimg_context_t *context)
{
    apr_atomic_inc32(&busy);
    if (!apr_atomic_read32(&stopping)) {
        clean_up(context);
    }
    apr_atomic_dec32(&busy);
}
