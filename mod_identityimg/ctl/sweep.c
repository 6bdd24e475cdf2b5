/* sweep.c - identityimgctl sweep: delete all objects that are due for deletion. */
#include "ctl/ctl.h"

#include <stdio.h>
#include "base/fault.h"
#include "functions/shared/sweep.h"
#include "functions/shared/store_identity.h"

#define NO_END        apr_time_from_sec(24 * 3600)
#define POLL_INTERVAL apr_time_from_msec(100)
/* A server that deletes nothing of what it claimed for this long is assumed dead. */
#define PATIENCE apr_time_from_sec(10)

typedef struct counts_t {
    int deleted, failed;
    long long remaining; /* doomed before this sweep began: failed, or claimed by a server */
} counts_t;

/* Sweep, then wait for the objects that a running server has claimed meanwhile.
 * @param since the database's time when this sweep began */
static iimg_error_t *sweep_with_others(iimg_context_t *context, const char *since, counts_t *counts)
{
    apr_time_t end = apr_time_now() + PATIENCE;
    long long before = -1;

    counts->failed = 0;
    while (true) {
        int failed = 0;
        iimg_error_t *err;

        counts->deleted += iimg_sweep(context, NO_END, &failed);
        counts->failed += failed;
        err = iimg_stored_object_count_doomed(context, since, &counts->remaining);
        if (err || counts->remaining <= counts->failed || apr_time_now() > end) {
            return err;
        }
        end = counts->remaining != before ? apr_time_now() + PATIENCE : end;
        before = counts->remaining;
        apr_sleep(POLL_INTERVAL);
    }
}

static iimg_error_t *sweep_all(iimg_context_t *context, counts_t *counts)
{
    const char *since, *now;
    iimg_error_t *err = iimg_store_check(context);

    if (err) {
        return err;
    }
    err = iimg_stored_object_expire(context);
    (void)IIMG_FAULT("sweep.expired");
    if (err) {
        return err;
    }
    err = iimg_stored_object_hurry(context, &since);
    if (err) {
        return err;
    }
    err = sweep_with_others(context, since, counts);
    if (err || counts->remaining <= counts->failed) {
        return err;
    }
    /* The server that claimed the others has died meanwhile. */
    err = iimg_stored_object_hurry(context, &now);
    if (err) {
        return err;
    }
    return sweep_with_others(context, since, counts);
}

int ctl_sweep(iimg_context_t *context, const ctl_options_t *options)
{
    counts_t counts = { 0 };
    iimg_error_t *err = sweep_all(context, &counts);

    (void)options;
    if (err) {
        return ctl_trouble(err);
    }
    printf("%d objects deleted\n", counts.deleted);
    if (counts.remaining > 0) {
        printf("%lld objects could not be deleted yet\n", counts.remaining);
    }
    return counts.remaining > 0 ? CTL_DIFFERENT : CTL_CLEAN;
}
