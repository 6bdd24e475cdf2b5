/* breaker.c - a circuit breaker: closed, open for a time that doubles, half open for one probe. */
#include "services/generator/breaker.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define THINGS        16
#define NAME          128
#define FIRST_BREAK   apr_time_from_sec(15)
#define LONGEST_BREAK apr_time_from_sec(240)
#define PROBE_TIME    apr_time_from_sec(660) /* longer than any call; a probe that never came back */

typedef struct thing_t {
    char name[NAME];
    int failures;              /* in a row */
    apr_interval_time_t pause; /* the break that it is in, or was in last; 0: it is well */
    apr_time_t until;          /* when the break ends */
    apr_time_t probe_until;    /* a probe is under way, at most till then; 0: none */
} thing_t;

struct iimg_breaker_t {
    apr_thread_mutex_t *mutex;
    int threshold;
    thing_t things[THINGS]; /* without a name: free */
};

iimg_breaker_t *iimg_breaker_create(apr_pool_t *pool, int threshold)
{
    iimg_breaker_t *breaker = apr_pcalloc(pool, sizeof(*breaker));

    breaker->threshold = threshold;
    return apr_thread_mutex_create(&breaker->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
               ? breaker
               : NULL;
}

/* @return NULL when there are too many; that one is never left alone */
static thing_t *thing_of(iimg_breaker_t *breaker, const char *name)
{
    for (int i = 0; i < THINGS; i++) {
        thing_t *thing = &breaker->things[i];

        if (!thing->name[0]) {
            apr_cpystrn(thing->name, name, sizeof(thing->name));
            return thing;
        }
        if (strncmp(thing->name, name, NAME - 1) == 0) {
            return thing;
        }
    }
    return NULL;
}

static int seconds(apr_interval_time_t time)
{
    return time > 0 ? (int)apr_time_sec(time + APR_USEC_PER_SEC - 1) : 1;
}

static int ask(thing_t *thing, apr_time_t now)
{
    if (thing->pause == 0) {
        return 0;
    }
    if (now < thing->until) {
        return seconds(thing->until - now);
    }
    if (now < thing->probe_until) {
        return seconds(FIRST_BREAK);
    }
    thing->probe_until = now + PROBE_TIME;
    return 0;
}

static int open_up(thing_t *thing, apr_time_t now)
{
    apr_interval_time_t pause = thing->pause ? 2 * thing->pause : FIRST_BREAK;

    thing->pause = pause < LONGEST_BREAK ? pause : LONGEST_BREAK;
    thing->until = now + thing->pause;
    return seconds(thing->pause);
}

static int tell(const iimg_breaker_t *breaker, thing_t *thing, iimg_breaker_news_t news,
                apr_time_t now)
{
    bool probed = thing->probe_until != 0;

    if (news == IIMG_BREAKER_WELL) {
        thing->failures = 0;
        thing->pause = 0;
        thing->probe_until = 0;
        return 0;
    }
    if (now < thing->until) {
        return 0; /* it is open already; this call began before */
    }
    thing->probe_until = 0;
    if (news == IIMG_BREAKER_UNKNOWN) {
        return 0; /* the next call is the probe, then */
    }
    thing->failures++;
    return probed || news == IIMG_BREAKER_HOPELESS || thing->failures >= breaker->threshold
               ? open_up(thing, now)
               : 0;
}

int iimg_breaker_ask(iimg_breaker_t *breaker, const char *name, apr_time_t now)
{
    thing_t *thing;
    int wait;

    apr_thread_mutex_lock(breaker->mutex);
    thing = thing_of(breaker, name);
    wait = thing ? ask(thing, now) : 0;
    apr_thread_mutex_unlock(breaker->mutex);
    return wait;
}

int iimg_breaker_tell(iimg_breaker_t *breaker, const char *name, iimg_breaker_news_t news,
                      apr_time_t now)
{
    thing_t *thing;
    int pause;

    apr_thread_mutex_lock(breaker->mutex);
    thing = thing_of(breaker, name);
    pause = thing ? tell(breaker, thing, news, now) : 0;
    apr_thread_mutex_unlock(breaker->mutex);
    return pause;
}
