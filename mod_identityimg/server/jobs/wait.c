/* wait.c - requests that wait for a job: in a place, with or without a thread. */
#include "server/jobs/wait.h"

#include <apr_atomic.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "models/generation_job.h"
#include "server/jobs/engine.h"
#include "server/jobs/park.h"

#define ASK_AGAIN APR_USEC_PER_SEC /* when the row could not be read */

/* A thread that waits. */
typedef struct waiter_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    bool news;
    bool stuck;
    iimg_engine_watch_t *watch;
} waiter_t;

static apr_uint32_t waiting; /* threads in this child; atomic */

void iimg_await_prefer(const iimg_request_t *req, iimg_prefer_t *prefer)
{
    iimg_prefer_parse(apr_table_get(req->r->headers_in, "Prefer"), prefer);
}

apr_time_t iimg_await_deadline(int seconds)
{
    return apr_time_now()
           + apr_time_from_sec(seconds < IIMG_AWAIT_MOST ? seconds : IIMG_AWAIT_MOST);
}

/* Places ----------------------------------------------------------------------------------------
 */

bool iimg_await_enter(iimg_request_t *req)
{
    req->place = IIMG_PLACE_NONE;
    if (iimg_park_enter(req)) {
        req->place = IIMG_PLACE_PARKED;
    }
    else if (apr_atomic_inc32(&waiting) < (apr_uint32_t)req->config->max_waiting) {
        req->place = IIMG_PLACE_THREAD;
    }
    else {
        apr_atomic_dec32(&waiting);
    }
    return req->place != IIMG_PLACE_NONE;
}

void iimg_await_leave(iimg_request_t *req)
{
    if (req->place == IIMG_PLACE_PARKED) {
        iimg_park_leave(req);
    }
    else if (req->place == IIMG_PLACE_THREAD) {
        apr_atomic_dec32(&waiting);
    }
    req->place = IIMG_PLACE_NONE;
}

iimg_error_t *iimg_await_refuse(const iimg_request_t *req)
{
    return iimg_error_code(iimg_error(req->context->pool, IIMG_BUSY,
                                      "As many requests wait for their pictures as may. Try again "
                                      "in a moment, or send \"Prefer: respond-async\"."),
                           "generations_busy");
}

/* A thread's waiting ------------------------------------------------------------------------------
 */

static void take_news(void *baton, iimg_engine_news_t news)
{
    waiter_t *waiter = baton;

    apr_thread_mutex_lock(waiter->mutex);
    waiter->news = true;
    waiter->stuck = waiter->stuck || news == IIMG_NEWS_STUCK;
    apr_thread_cond_signal(waiter->changed);
    apr_thread_mutex_unlock(waiter->mutex);
}

static bool begin(waiter_t *waiter, const iimg_request_t *req, const iimg_awaited_t *awaited)
{
    apr_pool_t *pool = req->r->pool;

    waiter->news = waiter->stuck = false;
    if (apr_thread_mutex_create(&waiter->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&waiter->changed, pool) != APR_SUCCESS) {
        return false;
    }
    waiter->watch = iimg_engine_watch(pool, req->r->server, awaited->job_id, awaited->version,
                                      take_news, waiter);
    return true;
}

/* @return false: the job is stuck */
static bool wait_for_news(waiter_t *waiter, apr_time_t deadline)
{
    apr_time_t now;
    bool stuck;

    apr_thread_mutex_lock(waiter->mutex);
    while (!waiter->news && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(waiter->changed, waiter->mutex, deadline - now);
    }
    waiter->news = false;
    stuck = waiter->stuck;
    apr_thread_mutex_unlock(waiter->mutex);
    return !stuck;
}

bool iimg_await_is_over(iimg_request_t *req, const iimg_awaited_t *awaited, bool *known)
{
    const iimg_generation_job_news_t *news;
    apr_array_header_t *id, *all;
    iimg_context_t brief;
    iimg_error_t *err;
    bool over;

    *known = iimg_context_brief(req->context, &brief);
    if (!*known) {
        return false;
    }
    id = apr_array_make(brief.pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(id, const char *) = awaited->job_id;
    err = iimg_generation_job_news(&brief, id, &all);
    *known = err == NULL;
    news = err || all->nelts == 0 ? NULL : &APR_ARRAY_IDX(all, 0, iimg_generation_job_news_t);
    over = !err
           && (!news || news->ended
               || (awaited->version >= 0 && news->version != awaited->version));
    apr_pool_destroy(brief.pool);
    return over;
}

/* Whoever listens looks at the row first: what happened before is no news. */
static void wait_here(iimg_request_t *req, const iimg_awaited_t *awaited)
{
    bool known, over = false;
    waiter_t waiter;

    if (!begin(&waiter, req, awaited)) {
        return;
    }
    while (!over && apr_time_now() < awaited->deadline) {
        apr_time_t until = awaited->deadline, soon = apr_time_now() + ASK_AGAIN;

        over = iimg_await_is_over(req, awaited, &known);
        until = known || until < soon ? until : soon;
        over = over || !wait_for_news(&waiter, until);
    }
    iimg_engine_unwatch(waiter.watch);
}

iimg_error_t *iimg_await(iimg_request_t *req, const iimg_awaited_t *awaited)
{
    bool known;
    iimg_error_t *err;

    if (req->place == IIMG_PLACE_PARKED && !iimg_await_is_over(req, awaited, &known)
        && iimg_park(req, awaited)) {
        req->parked = true;
        return NULL;
    }
    if (req->place == IIMG_PLACE_THREAD) {
        wait_here(req, awaited);
    }
    err = awaited->answer(req, awaited->job_id);
    iimg_await_leave(req);
    return err;
}
