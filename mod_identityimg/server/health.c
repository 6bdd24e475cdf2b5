/* health.c - whether this child should be sent requests. */
#include "server/health.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <ap_mpm.h>
#include "base/log.h"
#include "functions/shared/check_readiness.h"
#include "server/database/database.h"

#define FRESH        APR_USEC_PER_SEC /* strangers may ask: the database is bothered no more often */
#define WORKER_FRESH (5 * APR_USEC_PER_SEC)  /* the same for the worker, while it works */
#define FIRST_WAIT   (10 * APR_USEC_PER_SEC) /* for the first check, made by another request */
#define WAIT         1000                    /* milliseconds for a connection */
#define TIMEOUT      2                       /* seconds for the statement */

/* What is known of a virtual host, which may have a store and a database of its own. */
typedef struct health_t {
    apr_time_t looked; /* when the last check ended; 0: none has */
    bool looking;      /* a request checks: all others get the last result */
    bool ready;
    apr_time_t decoded; /* when the worker last decoded a picture; for the request that checks */
} health_t;

/* Made in child_init, then guarded by its own mutex. */
static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *seen; /* a check has ended */
    apr_hash_t *servers;     /* server_rec * -> health_t; only read after child_init */
} all;

apr_status_t iimg_health_start(apr_pool_t *pool, server_rec *main_server)
{
    all.servers = apr_hash_make(pool);
    for (server_rec *server = main_server; server; server = server->next) {
        server_rec **key = apr_pmemdup(pool, &server, sizeof(server));

        apr_hash_set(all.servers, key, sizeof(*key), apr_pcalloc(pool, sizeof(health_t)));
    }
    if (apr_thread_cond_create(&all.seen, pool) != APR_SUCCESS) {
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

    return health->looked && health->looked <= now && now - health->looked < FRESH;
}

/* Whether this request must check; else *ready is the last result. One request checks at a time,
 * and others wait for it only until the first check has ended. */
static bool must_look(health_t *health, bool *ready)
{
    apr_time_t end = apr_time_now() + FIRST_WAIT, now;
    bool look;

    apr_thread_mutex_lock(all.mutex);
    while (!health->looked && health->looking && (now = apr_time_now()) < end) {
        (void)apr_thread_cond_timedwait(all.seen, all.mutex, end - now);
    }
    look = !health->looking && !is_fresh(health);
    health->looking |= look;
    *ready = health->ready;
    apr_thread_mutex_unlock(all.mutex);
    return look;
}

/* @return whether that is news */
static bool remember(health_t *health, bool ready)
{
    bool news;

    apr_thread_mutex_lock(all.mutex);
    news = health->looked ? ready != health->ready : !ready;
    health->looked = apr_time_now();
    health->looking = false;
    health->ready = ready;
    apr_thread_cond_broadcast(all.seen);
    apr_thread_mutex_unlock(all.mutex);
    return news;
}

/* Only one request at a time is here. */
static iimg_error_t *check_worker(iimg_context_t *context, health_t *health)
{
    apr_time_t now = apr_time_now();
    const char *problem;

    if (health->decoded && health->decoded <= now && now - health->decoded < WORKER_FRESH) {
        return NULL;
    }
    problem = iimg_image_ready(context, &context->services->pictures);
    health->decoded = problem ? 0 : apr_time_now();
    return problem ? iimg_error_detail(
               iimg_error(context->pool, IIMG_NOT_READY, "This server is not ready."),
               "identityimg-worker: %s", problem)
                   : NULL;
}

/* In a context of its own: the caller of a probe does not wait as long as one of the API. */
static bool look(iimg_request_t *req, health_t *health)
{
    iimg_context_t context = *req->context;
    iimg_error_t *err;
    bool news;

    context.db = iimg_database_hasty_lender(context.pool, req->r->server, WAIT, TIMEOUT);
    err = iimg_check_readiness(&context);
    if (!err) {
        err = check_worker(&context, health);
    }
    news = remember(health, !err);
    if (news && err) {
        iimg_log(&context, IIMG_LOG_ERROR, "IIMG0150: not ready: %s", err->detail);
    }
    else if (news) {
        iimg_log(&context, IIMG_LOG_INFO, "ready again");
    }
    return !err;
}

iimg_error_t *iimg_health_ready(iimg_request_t *req)
{
    health_t *health = health_of(req->r->server);
    bool ready = false;

    if (!is_stopping()) {
        ready = must_look(health, &ready) ? look(req, health) : ready;
    }
    return ready ? NULL
                 : iimg_error(req->context->pool, IIMG_NOT_READY, "This server is not ready.");
}
