/* await.c - requests that wait for a job, each with its thread. */
#include "server/await.h"

#include <stdlib.h>
#include <string.h>
#include <apr_atomic.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "models/generation_job.h"
#include "server/engine.h"

#define ASK_AGAIN APR_USEC_PER_SEC      /* when the row could not be read */

typedef struct await_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    bool news;
    bool stuck;
    iimg_engine_watch_t *watch;
} await_t;

static apr_uint32_t waiting;            /* requests in this child; atomic */

void iimg_await_prefer(const iimg_request_t *req, iimg_prefer_t *prefer)
{
    iimg_prefer_parse(apr_table_get(req->r->headers_in, "Prefer"), prefer);
}

bool iimg_await_enter(const iimg_request_t *req)
{
    if (apr_atomic_inc32(&waiting) >= (apr_uint32_t)req->config->max_waiting) {
        apr_atomic_dec32(&waiting);
        return false;
    }
    return true;
}

void iimg_await_leave(void)
{
    apr_atomic_dec32(&waiting);
}

iimg_error_t *iimg_await_refuse(const iimg_request_t *req)
{
    return iimg_error_code(iimg_error(req->context->pool, IIMG_BUSY,
                                      "As many requests wait for their pictures as may. Try again "
                                      "in a moment, or send \"Prefer: respond-async\"."),
                           "generations_busy");
}

apr_time_t iimg_await_deadline(int seconds)
{
    return apr_time_now() + apr_time_from_sec(seconds < IIMG_AWAIT_MOST ? seconds
                                                                        : IIMG_AWAIT_MOST);
}

static void take_news(void *baton, iimg_engine_news_t news)
{
    await_t *await = baton;

    apr_thread_mutex_lock(await->mutex);
    await->news = true;
    await->stuck = await->stuck || news == IIMG_NEWS_STUCK;
    apr_thread_cond_signal(await->changed);
    apr_thread_mutex_unlock(await->mutex);
}

static bool begin(await_t *await, const iimg_request_t *req, const char *job_id, int version)
{
    apr_pool_t *pool = req->r->pool;

    await->news = await->stuck = false;
    if (apr_thread_mutex_create(&await->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&await->changed, pool) != APR_SUCCESS) {
        return false;
    }
    await->watch = iimg_engine_watch(pool, req->r->server, job_id, version, take_news, await);
    return true;
}

/* @return false: the job is stuck */
static bool wait_for_news(await_t *await, apr_time_t deadline)
{
    apr_time_t now;
    bool stuck;

    apr_thread_mutex_lock(await->mutex);
    while (!await->news && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(await->changed, await->mutex, deadline - now);
    }
    await->news = false;
    stuck = await->stuck;
    apr_thread_mutex_unlock(await->mutex);
    return !stuck;
}

static bool has_ended(const iimg_generation_job_t *job)
{
    return !job || (strcmp(job->state, "queued") != 0 && strcmp(job->state, "running") != 0);
}

/* Whoever listens looks at the row first: what happened before is no news. @return has it ended? */
static bool wait_until(iimg_request_t *req, const char *job_id, int version, apr_time_t deadline)
{
    iimg_generation_job_t *job;
    bool ended = false;
    await_t await;

    if (!begin(&await, req, job_id, version)) {
        return false;
    }
    while (!ended) {
        apr_time_t now = apr_time_now();
        iimg_error_t *err = iimg_generation_job_by_id(req->context, job_id, &job);

        ended = !err && has_ended(job);
        if (now >= deadline || (!err && version >= 0 && job && atoi(job->version) != version)) {
            break;
        }
        if (!ended && !wait_for_news(&await, err && now + ASK_AGAIN < deadline ? now + ASK_AGAIN
                                                                              : deadline)) {
            break;
        }
    }
    iimg_engine_unwatch(await.watch);
    return ended;
}

bool iimg_await_job(iimg_request_t *req, const char *job_id, apr_time_t deadline)
{
    return wait_until(req, job_id, -1, deadline);
}

void iimg_await_change(iimg_request_t *req, const char *job_id, int version, apr_time_t deadline)
{
    (void)wait_until(req, job_id, version, deadline);
}
