/* wait.c - requests that wait for a job, parked or in their own thread.
 *
 * Owns the count of threads that wait; park.c owns the count of parked requests. Views call this
 * in the thread of the request. A waiting thread holds no database connection: it sleeps on a
 * condition variable that watch.c's notifications signal, and reads the job's row when woken. */
#include "server/jobs/wait.h"

#include <apr_atomic.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "server/jobs/park.h"
#include "server/jobs/watch.h"

#define RETRY_INTERVAL APR_USEC_PER_SEC /* when the row could not be read */

typedef struct waiter_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *notified;
    bool pending; /* a notification has not been handled yet */
    bool stuck;
    iimg_watch_t *watch;
} waiter_t;

static apr_uint32_t waiting_threads; /* of this child; atomic */

void iimg_wait_prefer(const iimg_request_t *req, iimg_prefer_t *prefer)
{
    iimg_prefer_parse(req->r->pool, apr_table_get(req->r->headers_in, "Prefer"), prefer);
}

apr_time_t iimg_wait_deadline(int seconds)
{
    return apr_time_now() + apr_time_from_sec(seconds < IIMG_WAIT_MAX ? seconds : IIMG_WAIT_MAX);
}

/* Places -------------------------------------------------------------------------------------- */

bool iimg_wait_reserve(iimg_request_t *req)
{
    req->place = IIMG_PLACE_NONE;
    if (iimg_park_reserve(req)) {
        req->place = IIMG_PLACE_PARKED;
    }
    else if (apr_atomic_inc32(&waiting_threads) < (apr_uint32_t)req->config->max_waiting) {
        req->place = IIMG_PLACE_THREAD;
    }
    else {
        apr_atomic_dec32(&waiting_threads);
    }
    return req->place != IIMG_PLACE_NONE;
}

void iimg_wait_release(iimg_request_t *req)
{
    if (req->place == IIMG_PLACE_PARKED) {
        iimg_park_release(req);
    }
    else if (req->place == IIMG_PLACE_THREAD) {
        apr_atomic_dec32(&waiting_threads);
    }
    req->place = IIMG_PLACE_NONE;
}

iimg_error_t *iimg_wait_refuse(const iimg_request_t *req)
{
    return iimg_error_code(iimg_error(req->context->pool, IIMG_BUSY,
                                      "Too many requests are waiting for a picture. Try again in "
                                      "a moment, or send \"Prefer: respond-async\"."),
                           "generations_busy");
}

/* Waiting in the request's thread ------------------------------------------------------------- */

static void notify_waiter(void *baton, iimg_watch_event_t event)
{
    waiter_t *waiter = baton;

    apr_thread_mutex_lock(waiter->mutex);
    waiter->pending = true;
    waiter->stuck = waiter->stuck || event == IIMG_WATCH_STUCK;
    apr_thread_cond_signal(waiter->notified);
    apr_thread_mutex_unlock(waiter->mutex);
}

static bool start_watching(waiter_t *waiter, const iimg_request_t *req,
                           const iimg_wait_condition_t *condition)
{
    apr_pool_t *pool = req->r->pool;

    waiter->pending = waiter->stuck = false;
    if (apr_thread_mutex_create(&waiter->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&waiter->notified, pool) != APR_SUCCESS) {
        return false;
    }
    waiter->watch = iimg_watch_add(pool, req->r->server, condition->job_id, condition->version,
                                   notify_waiter, waiter);
    return true;
}

/* @return false: the job is stuck */
static bool wait_for_notification(waiter_t *waiter, apr_time_t deadline)
{
    apr_time_t now;
    bool stuck;

    apr_thread_mutex_lock(waiter->mutex);
    while (!waiter->pending && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(waiter->notified, waiter->mutex, deadline - now);
    }
    waiter->pending = false;
    stuck = waiter->stuck;
    apr_thread_mutex_unlock(waiter->mutex);
    return !stuck;
}

/* The row is read after the watch was added: earlier changes are not notified. */
static void wait_in_thread(iimg_request_t *req, const iimg_wait_condition_t *condition)
{
    bool known, done = false;
    waiter_t waiter;

    if (!start_watching(&waiter, req, condition)) {
        return;
    }
    while (!done && apr_time_now() < condition->deadline) {
        apr_time_t until = condition->deadline, retry = apr_time_now() + RETRY_INTERVAL;

        done = iimg_wait_condition_is_met(req, condition, &known);
        until = known || until < retry ? until : retry;
        done = done || !wait_for_notification(&waiter, until);
    }
    iimg_watch_remove(waiter.watch);
}

iimg_error_t *iimg_wait_and_answer(iimg_request_t *req, const iimg_wait_condition_t *condition)
{
    bool known;
    iimg_error_t *err;

    if (req->place == IIMG_PLACE_PARKED && !iimg_wait_condition_is_met(req, condition, &known)
        && iimg_park(req, condition)) {
        req->parked = true;
        return NULL;
    }
    if (req->place == IIMG_PLACE_THREAD) {
        wait_in_thread(req, condition);
    }
    err = condition->answer(req, condition->job_id);
    iimg_wait_release(req);
    return err;
}
