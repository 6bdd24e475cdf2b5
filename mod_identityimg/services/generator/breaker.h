/* breaker.h - leaving a service alone that fails again and again; the memory of one process. */
#ifndef IIMG_SERVICES_GENERATOR_BREAKER_H
#define IIMG_SERVICES_GENERATOR_BREAKER_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>

/** How a call to something ended. */
typedef enum {
    IIMG_BREAKER_WELL,     /* it works */
    IIMG_BREAKER_FAILED,   /* it does not; some of these in a row open the breaker */
    IIMG_BREAKER_HOPELESS, /* it will not until somebody acts: opens the breaker at once */
    IIMG_BREAKER_UNKNOWN   /* the call says nothing about it */
} iimg_breaker_news_t;

/** Remembers up to 16 things by name; shared by threads. */
typedef struct iimg_breaker_t iimg_breaker_t;

/**
 * @param threshold failures in a row that open it
 * @return NULL when there is no mutex
 */
iimg_breaker_t *iimg_breaker_create(apr_pool_t *pool, int threshold);

/**
 * Ask before a call. When the time to leave it alone is over, one call is let through as a probe,
 * and decides. Whoever may call must tell what became of it.
 * @return 0: call; else how many seconds not to, at least 1
 */
int iimg_breaker_ask(iimg_breaker_t *breaker, const char *name, apr_time_t now);

/** Tell how a call ended. @return seconds for which it is left alone from now on, else 0 */
int iimg_breaker_tell(iimg_breaker_t *breaker, const char *name, iimg_breaker_news_t news,
                      apr_time_t now);

#endif
