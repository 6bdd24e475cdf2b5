/* retry.c - the rules by which calls are repeated. */
#include "services/generator/retry.h"

#define MAX_DOUBLINGS 6 /* 64 s */

/* From half of `most` to all of it: those who failed together do not come back together. */
static apr_interval_time_t some_of(apr_interval_time_t most, apr_uint32_t chance)
{
    return most / 2 + (apr_interval_time_t)chance % (most / 2 + 1);
}

static apr_interval_time_t pause_of(const iimg_tries_t *tries, const iimg_error_t *err,
                                    apr_uint32_t chance)
{
    int doublings = tries->calls > 0 ? tries->calls - 1 : 0;

    doublings = doublings < MAX_DOUBLINGS ? doublings : MAX_DOUBLINGS;
    if (err->retry_after > 0) { /* never sooner than asked for */
        return apr_time_from_sec(err->retry_after) + some_of(APR_USEC_PER_SEC, chance);
    }
    return some_of(apr_time_from_sec(1 << doublings), chance);
}

bool iimg_tries_again(iimg_tries_t *tries, const iimg_error_t *err, apr_time_t now,
                      apr_uint32_t chance, apr_interval_time_t *wait)
{
    bool paid = err->again == IIMG_AGAIN_PAID;

    if (err->again == IIMG_AGAIN_NO || tries->calls > tries->retries || (paid && tries->paid)
        || err->retry_after > IIMG_TRIES_MAX_WAIT) {
        return false;
    }
    *wait = pause_of(tries, err, chance);
    if (now + *wait + apr_time_from_sec(IIMG_TRIES_MIN_CALL) > tries->deadline) {
        return false;
    }
    tries->paid |= paid;
    return true;
}
