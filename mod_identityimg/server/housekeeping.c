/* housekeeping.c - what has to be done from time to time, in one child at a time. */
#include "server/housekeeping.h"

#include "base/fault.h"
#include "base/log.h"
#include "functions/shared/shared.h"

#define SWEEP_TIME apr_time_from_sec(20)        /* a child that is to end waits for it */
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

void iimg_housekeep(iimg_context_t *context)
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
