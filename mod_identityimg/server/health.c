/* health.c - whether this child can serve requests: the checks of health/ready/.
 *
 * Owns the last result for each virtual host. Request threads call it. The thread that checks holds
 * no lock meanwhile; the others return the last result, or wait only for the very first one. */
#include "server/health.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <ap_mpm.h>
#include "base/log.h"
#include "functions/shared/check_readiness.h"
#include "server/database/database.h"

#define FRESH        APR_USEC_PER_SEC       /* unauthenticated clients must not cause more checks */
#define WORKER_FRESH (5 * APR_USEC_PER_SEC) /* the same for the worker, if it works */
#define FIRST_WAIT   (10 * APR_USEC_PER_SEC) /* for the first check, made by another request */
#define WAIT         1000                    /* milliseconds for a connection */
#define TIMEOUT      2                       /* seconds for the statement */

/* Of a virtual host, which may have its own store and database. */
typedef struct health_t {
    apr_time_t checked; /* when the last check ended; 0: never */
    bool checking;      /* by a request */
    bool ready;
    apr_time_t
        decoded; /* when the worker last decoded a picture; only the checking request uses it */
} health_t;

/* Made in child_init; the mutex guards the health_t. */
static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *ended; /* signals the end of a check */
    apr_hash_t *servers;      /* server_rec * -> health_t; only read after child_init */
} all;

apr_status_t iimg_health_start(apr_pool_t *pool, server_rec *main_server)
{
    all.servers = apr_hash_make(pool);
    for (server_rec *server = main_server; server; server = server->next) {
        server_rec **key = apr_pmemdup(pool, &server, sizeof(server));

        apr_hash_set(all.servers, key, sizeof(*key), apr_pcalloc(pool, sizeof(health_t)));
    }
    if (apr_thread_cond_create(&all.ended, pool) != APR_SUCCESS) {
        return APR_ENOMEM;
    }
    return apr_thread_mutex_create(&all.mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

static health_t *health_of(server_rec *server)
{
    return apr_hash_get(all.servers, &server, sizeof(server));
}

static bool is_stopping(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

static bool is_fresh(const health_t *health)
{
    apr_time_t now = apr_time_now();

    return health->checked && health->checked <= now && now - health->checked < FRESH;
}

/* @param ready the last result, if this request need not check */
static bool must_check(health_t *health, bool *ready)
{
    apr_time_t end = apr_time_now() + FIRST_WAIT, now;
    bool check;

    apr_thread_mutex_lock(all.mutex);
    while (!health->checked && health->checking && (now = apr_time_now()) < end) {
        (void)apr_thread_cond_timedwait(all.ended, all.mutex, end - now);
    }
    check = !health->checking && !is_fresh(health);
    health->checking |= check;
    *ready = health->ready;
    apr_thread_mutex_unlock(all.mutex);
    return check;
}

/* @return whether the result has changed */
static bool record_result(health_t *health, bool ready)
{
    bool changed;

    apr_thread_mutex_lock(all.mutex);
    changed = health->checked ? ready != health->ready : !ready;
    health->checked = apr_time_now();
    health->checking = false;
    health->ready = ready;
    apr_thread_cond_broadcast(all.ended);
    apr_thread_mutex_unlock(all.mutex);
    return changed;
}

/* One request at a time. */
static iimg_error_t *check_worker(iimg_context_t *context, health_t *health)
{
    apr_time_t now = apr_time_now();
    const char *problem;

    if (health->decoded && health->decoded <= now && now - health->decoded < WORKER_FRESH) {
        return NULL;
    }
    problem = iimg_image_ready(context, &context->services->pictures);
    health->decoded = problem ? 0 : apr_time_now();
    if (!problem) {
        return NULL;
    }
    return iimg_error_with_detail(context->pool, IIMG_NOT_READY, NULL, "This server is not ready.",
                                  "identityimg-worker: %s", problem);
}

/* With its own context: a probe must not wait as long as a request of the API. */
static bool check_all(iimg_request_t *req, health_t *health)
{
    iimg_context_t context = *req->context;
    iimg_error_t *err;
    bool changed;

    context.db = iimg_database_hasty_lender(context.pool, req->r->server, WAIT, TIMEOUT);
    err = iimg_check_readiness(&context);
    if (!err) {
        err = check_worker(&context, health);
    }
    changed = record_result(health, !err);
    if (changed && err) {
        iimg_log(&context, IIMG_LOG_ERROR, "IIMG0150: not ready: %s", err->detail);
    }
    else if (changed) {
        iimg_log(&context, IIMG_LOG_INFO, "ready again");
    }
    return !err;
}

iimg_error_t *iimg_health_ready(iimg_request_t *req)
{
    health_t *health = health_of(req->r->server);
    bool ready = false;

    if (!is_stopping()) {
        ready = must_check(health, &ready) ? check_all(req, health) : ready;
    }
    return ready ? NULL
                 : iimg_error(req->context->pool, IIMG_NOT_READY, "This server is not ready.");
}
