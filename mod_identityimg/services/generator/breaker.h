/* breaker.h - a circuit breaker: stops calls to a service that fails repeatedly. */
#ifndef IIMG_SERVICES_GENERATOR_BREAKER_H
#define IIMG_SERVICES_GENERATOR_BREAKER_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>

/*
 * Each process has a breaker of its own, created before its threads start. Functions may be called
 * by any thread and never block for long. A call is framed by:
 *
 *     wait = iimg_breaker_ask(breaker, name, now);
 *     if (wait == 0) {
 *         make the call
 *         iimg_breaker_report(breaker, name, result, now);    always, also if it was not sent
 *     }
 */

/** How a call to a service ended. */
typedef enum {
    IIMG_BREAKER_WELL,     /* the service works */
    IIMG_BREAKER_FAILED,   /* it failed: `threshold` of these in a row open the breaker */
    IIMG_BREAKER_HOPELESS, /* it fails until an operator acts: opens the breaker at once */
    IIMG_BREAKER_UNKNOWN   /* the call shows nothing about the service */
} iimg_breaker_result_t;

/** Up to 16 services by name; more than that are never stopped. */
typedef struct iimg_breaker_t iimg_breaker_t;

/**
 * @param threshold failures in a row that open it
 * @return NULL if the mutex cannot be created
 */
iimg_breaker_t *iimg_breaker_create(apr_pool_t *pool, int threshold);

/**
 * Ask whether a call may be made. When the pause of an open breaker is over, one call is let
 * through as a probe, whose result closes the breaker or doubles the pause.
 * @return 0: make the call and report its result; else the seconds left, at least 1
 */
int iimg_breaker_ask(iimg_breaker_t *breaker, const char *name, apr_time_t now);

/** Report the result of a call. @return the seconds of the pause that it starts, else 0 */
int iimg_breaker_report(iimg_breaker_t *breaker, const char *name, iimg_breaker_result_t result,
                        apr_time_t now);

#endif
