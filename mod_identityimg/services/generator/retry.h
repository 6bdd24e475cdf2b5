/* retry.h - whether a failed call to an image provider is repeated, and after which pause. */
#ifndef IIMG_SERVICES_GENERATOR_RETRY_H
#define IIMG_SERVICES_GENERATOR_RETRY_H

#include <stdbool.h>
#include <apr_time.h>
#include "base/error.h"

/** The longest Retry-After of a provider that is honored, in seconds. A longer one ends the calls.
 */
#define IIMG_RETRY_MAX_WAIT 60

/** The least time before the deadline, in seconds, in which a call is still started. */
#define IIMG_RETRY_MIN_CALL 5

/** The calls of one generation. */
typedef struct iimg_retry_t {
    apr_time_t deadline; /* when all calls must have ended */
    int retries;         /* most calls after the first */
    int calls;           /* made so far; the caller counts */
    bool paid;           /* a call that may have been billed was repeated */
} iimg_retry_t;

/**
 * Decide about a failed call. The pause is the provider's Retry-After plus up to a second, else 1,
 * 2, 4, ... seconds with jitter. A call that may have been billed is repeated once at most. Nothing
 * here sleeps.
 * @param chance a random number
 * @param wait   until the next call; set if the result is true
 * @return whether to call again
 */
bool iimg_retry_decide(iimg_retry_t *retry, const iimg_error_t *err, apr_time_t now,
                       apr_uint32_t chance, apr_interval_time_t *wait);

#endif
