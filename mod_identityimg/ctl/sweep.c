/* sweep.c - identityimgctl sweep: what the server does every minute, now. */
#include "ctl/ctl.h"

#include <stdio.h>
#include "base/fault.h"
#include "functions/shared/sweep.h"
#include "functions/shared/store_identity.h"

#define NO_END apr_time_from_sec(24 * 3600)
#define LOOK   apr_time_from_msec(100)
/* How long others may take for one batch of what they have claimed; then they are held for dead. */
#define PATIENCE apr_time_from_sec(10)

typedef struct counts_t {
    int gone, failed;
    long long left; /* of what was doomed when we began: failed, or claimed by others */
} counts_t;

/* A running server sweeps too: what it has claimed since we began is its own to delete, and is
 * awaited. @param since the database's time when we began */
static iimg_error_t *sweep_with_others(iimg_context_t *context, const char *since, counts_t *counts)
{
    apr_time_t end = apr_time_now() + PATIENCE;
    long long before = -1;

    counts->failed = 0;
    while (true) {
        int failed = 0;
        iimg_error_t *err;

        counts->gone += iimg_sweep(context, NO_END, &failed);
        counts->failed += failed;
        err = iimg_stored_object_count_doomed(context, since, &counts->left);
        if (err || counts->left <= counts->failed || apr_time_now() > end) {
            return err;
        }
        end = counts->left != before ? apr_time_now() + PATIENCE : end;
        before = counts->left;
        apr_sleep(LOOK);
    }
}

int ctl_sweep(iimg_context_t *context, const ctl_options_t *options)
{
    iimg_error_t *err = iimg_store_check(context);
    const char *since = NULL, *now;
    counts_t counts = { 0 };

    (void)options;
    if (!err) {
        err = iimg_stored_object_expire(context);
    }
    (void)IIMG_FAULT("sweep.expired");
    if (!err) {
        err = iimg_stored_object_hurry(context, &since);
    }
    if (!err) {
        err = sweep_with_others(context, since, &counts);
    }
    if (!err && counts.left > counts.failed) { /* who had claimed it has died meanwhile */
        err = iimg_stored_object_hurry(context, &now);
        err = err ? err : sweep_with_others(context, since, &counts);
    }
    if (err) {
        return ctl_trouble(err);
    }
    printf("%d objects deleted\n", counts.gone);
    if (counts.left > 0) {
        printf("%lld objects could not be deleted yet\n", counts.left);
    }
    return counts.left > 0 ? CTL_DIFFERENT : CTL_CLEAN;
}
