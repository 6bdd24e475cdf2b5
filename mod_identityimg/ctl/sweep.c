/* sweep.c - identityimgctl sweep: what the server does every minute, now. */
#include "ctl/ctl.h"

#include <stdio.h>
#include "base/fault.h"
#include "functions/shared/shared.h"

int ctl_sweep(iimg_context_t *context, const ctl_options_t *options)
{
    iimg_error_t *err = iimg_stored_object_expire(context);
    long long left = 0;
    int gone;

    (void)options;
    (void)IIMG_FAULT("sweep.expired");
    if (!err) {
        err = iimg_stored_object_hurry(context);
    }
    if (err) {
        return ctl_trouble(err);
    }
    gone = iimg_sweep(context, apr_time_from_sec(24 * 3600));
    err = iimg_stored_object_count_doomed(context, &left);
    if (err) {
        return ctl_trouble(err);
    }
    printf("%d objects deleted\n", gone);
    if (left > 0) {
        printf("%lld objects could not be deleted yet\n", left);
    }
    return left > 0 ? CTL_DIFFERENT : CTL_CLEAN;
}
