/* retry.h - whether a call that failed is made again, and when; nothing waits here. */
#ifndef IIMG_SERVICES_GENERATOR_RETRY_H
#define IIMG_SERVICES_GENERATOR_RETRY_H

#include <stdbool.h>
#include <apr_time.h>
#include "base/error.h"

/** Longest wait, in seconds, that a provider may ask for before we rather give up. */
#define IIMG_TRIES_MAX_WAIT 60

/** Seconds that a call must have left to be worth making. */
#define IIMG_TRIES_MIN_CALL 5

/** The calls for one piece of work. */
typedef struct iimg_tries_t {
    apr_time_t deadline; /* when all of them must be over */
    int retries;         /* most calls after the first */
    int calls;           /* made so far; the caller counts */
    bool paid;           /* one that may have been paid for was followed by another */
} iimg_tries_t;

/**
 * Decide about a call that failed: what the provider asks us to wait, else 1, 2, 4, ... seconds of
 * which a part is left to chance; never beyond the deadline, and only once after what may have been
 * paid for.
 * @param chance any number, another one each time
 * @param wait   until the next call, when there is to be one
 */
bool iimg_tries_again(iimg_tries_t *tries, const iimg_error_t *err, apr_time_t now,
                      apr_uint32_t chance, apr_interval_time_t *wait);

#endif
