/* retry.c - whether a failed call to an image provider is repeated, and after which pause. */
#include "services/generator/retry.h"

#define MAX_DOUBLINGS 6 /* 64 s */

/* From half of `most` to all of it, so that clients that failed together do not retry together. */
static apr_interval_time_t add_jitter(apr_interval_time_t most, apr_uint32_t chance)
{
    return most / 2 + (apr_interval_time_t)chance % (most / 2 + 1);
}

static apr_interval_time_t compute_pause(const iimg_retry_t *retry, const iimg_error_t *err,
                                         apr_uint32_t chance)
{
    int doublings = retry->calls > 0 ? retry->calls - 1 : 0;

    doublings = doublings < MAX_DOUBLINGS ? doublings : MAX_DOUBLINGS;
    if (err->retry_after > 0) {
        return apr_time_from_sec(err->retry_after) + add_jitter(APR_USEC_PER_SEC, chance);
    }
    return add_jitter(apr_time_from_sec(1 << doublings), chance);
}

bool iimg_retry_decide(iimg_retry_t *retry, const iimg_error_t *err, apr_time_t now,
                       apr_uint32_t chance, apr_interval_time_t *wait)
{
    bool paid = err->again == IIMG_AGAIN_PAID;

    if (err->again == IIMG_AGAIN_NO || retry->calls > retry->retries || (paid && retry->paid)
        || err->retry_after > IIMG_RETRY_MAX_WAIT) {
        return false;
    }
    *wait = compute_pause(retry, err, chance);
    if (now + *wait + apr_time_from_sec(IIMG_RETRY_MIN_CALL) > retry->deadline) {
        return false;
    }
    retry->paid |= paid;
    return true;
}
