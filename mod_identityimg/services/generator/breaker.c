/* breaker.c - a circuit breaker: closed, open for a time that doubles, half open for one probe. */
#include "services/generator/breaker.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define SERVICES      16
#define NAME          128
#define FIRST_BREAK   apr_time_from_sec(15)
#define LONGEST_BREAK apr_time_from_sec(240)
#define PROBE_TIME    apr_time_from_sec(660) /* longer than any call: then the probe is lost */

typedef struct service_t {
    char name[NAME];
    int failures;              /* in a row */
    apr_interval_time_t pause; /* the current or the last break; 0: closed */
    apr_time_t until;          /* when the break ends */
    apr_time_t probe_until;    /* a probe is running, until then at most; 0: none */
} service_t;

struct iimg_breaker_t {
    apr_thread_mutex_t *mutex;
    int threshold;
    service_t services[SERVICES]; /* an empty name: unused */
};

iimg_breaker_t *iimg_breaker_create(apr_pool_t *pool, int threshold)
{
    iimg_breaker_t *breaker = apr_pcalloc(pool, sizeof(*breaker));

    breaker->threshold = threshold;
    return apr_thread_mutex_create(&breaker->mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
               ? breaker
               : NULL;
}

/* @return NULL if all entries are used by others */
static service_t *find_service(iimg_breaker_t *breaker, const char *name)
{
    for (int i = 0; i < SERVICES; i++) {
        service_t *service = &breaker->services[i];

        if (!service->name[0]) {
            apr_cpystrn(service->name, name, sizeof(service->name));
            return service;
        }
        if (strncmp(service->name, name, NAME - 1) == 0) {
            return service;
        }
    }
    return NULL;
}

static int seconds(apr_interval_time_t time)
{
    return time > 0 ? (int)apr_time_sec(time + APR_USEC_PER_SEC - 1) : 1;
}

static int ask_service(service_t *service, apr_time_t now)
{
    if (service->pause == 0) {
        return 0;
    }
    if (now < service->until) {
        return seconds(service->until - now);
    }
    if (now < service->probe_until) {
        return seconds(FIRST_BREAK);
    }
    service->probe_until = now + PROBE_TIME;
    return 0;
}

static int open_breaker(service_t *service, apr_time_t now)
{
    apr_interval_time_t pause = service->pause ? 2 * service->pause : FIRST_BREAK;

    service->pause = pause < LONGEST_BREAK ? pause : LONGEST_BREAK;
    service->until = now + service->pause;
    return seconds(service->pause);
}

static int report_result(const iimg_breaker_t *breaker, service_t *service,
                         iimg_breaker_result_t result, apr_time_t now)
{
    bool probed = service->probe_until != 0;

    if (result == IIMG_BREAKER_WELL) {
        service->failures = 0;
        service->pause = 0;
        service->probe_until = 0;
        return 0;
    }
    if (now < service->until) {
        return 0; /* open already: this call began before that */
    }
    service->probe_until = 0;
    if (result == IIMG_BREAKER_UNKNOWN) {
        return 0; /* the next call is the probe */
    }
    service->failures++;
    return probed || result == IIMG_BREAKER_HOPELESS || service->failures >= breaker->threshold
               ? open_breaker(service, now)
               : 0;
}

int iimg_breaker_ask(iimg_breaker_t *breaker, const char *name, apr_time_t now)
{
    service_t *service;
    int wait;

    apr_thread_mutex_lock(breaker->mutex);
    service = find_service(breaker, name);
    wait = service ? ask_service(service, now) : 0;
    apr_thread_mutex_unlock(breaker->mutex);
    return wait;
}

int iimg_breaker_report(iimg_breaker_t *breaker, const char *name, iimg_breaker_result_t result,
                        apr_time_t now)
{
    service_t *service;
    int pause;

    apr_thread_mutex_lock(breaker->mutex);
    service = find_service(breaker, name);
    pause = service ? report_result(breaker, service, result, now) : 0;
    apr_thread_mutex_unlock(breaker->mutex);
    return pause;
}
