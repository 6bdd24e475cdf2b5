/* engine.c - the thread that holds a child's jobs.
 *
 * Owns the tasks of this child (one for each job it runs), the slots for them, and a pool of
 * threads for steps that block: database, store, pictures. Views reserve slots and hand jobs in,
 * in request threads; poll.c does so in one thread of the pool.
 *
 * The engine's thread alone uses `tasks` and `delayed`. A task belongs to one thread at a time: the
 * engine's, or one of the pool, which gives it back through `inbox`. The engine's thread sends
 * calls to the provider with libcurl's multi interface and must never block: no database, no store,
 * no file. Other threads wake it with iimg_http_loop_wake. */
#include "server/jobs/engine.h"

#include <string.h>
#include <unistd.h>
#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_ring.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_thread_pool.h>
#include <apr_thread_proc.h>
#include "server/config/config.h"
#include "server/jobs/poll.h"
#include "server/jobs/task.h"
#include "server/jobs/watch.h"
#include "services/reference_cache.h"

#define BUSY_INTERVAL   apr_time_from_sec(1)   /* between polls: there are jobs or watches */
#define IDLE_INTERVAL   apr_time_from_sec(2)   /* between polls: there are none */
#define FIRST_POLL      (APR_USEC_PER_SEC / 2) /* delay: many children start at the same time */
#define NOTIFY_INTERVAL (APR_USEC_PER_SEC / 4) /* between two checks for watches that are due */
#define RETRY_DELAY     APR_USEC_PER_SEC       /* when there is no memory or no thread */
#define MAX_CANCELED    200 /* ids from one poll; the next poll repeats the rest */
#define DRAIN_TIMEOUT   apr_time_from_sec(60) /* for tasks that wait for a backend */
#define STOP_TIMEOUT    apr_time_from_sec(4)  /* httpd's parent kills a child after ten */

enum {
    RUNNING,
    DRAINING, /* a graceful stop: finish the jobs */
    STOPPED   /* release the jobs */
};

typedef struct engine_t {
    iimg_http_loop_t *loop;
    apr_thread_t *thread;
    apr_thread_pool_t *threads; /* run what blocks */
    apr_uint32_t slots_used;    /* by tasks and reservations; atomic */
    apr_uint32_t busy_threads;  /* of the pool; atomic */
    apr_uint32_t polling;       /* atomic: at most one poll at a time */
    apr_uint32_t poll_now;      /* atomic: do not wait for next_poll */
    apr_uint32_t state;         /* atomic */
    apr_uint32_t no_requests;   /* atomic: the child's request threads have ended */

    apr_thread_mutex_t *mutex;                 /* guards inbox and canceled */
    APR_RING_HEAD(inbox_t, iimg_task_t) inbox; /* tasks for the engine's thread */
    apr_array_header_t *canceled;              /* char[37]: job ids from the last poll */

    /* The engine's thread alone. */
    apr_hash_t *tasks;           /* job id -> iimg_task_t */
    apr_array_header_t *delayed; /* iimg_task_t *: those that are not due yet */
    apr_time_t next_poll;
    apr_time_t draining_since;
    apr_time_t notified; /* when watches that are due were notified */
} engine_t;

static engine_t *engine; /* of this child; set before it starts threads */

/* From any thread to the engine's -------------------------------------------------------------- */

static void send_to_engine(iimg_task_t *task)
{
    apr_thread_mutex_lock(engine->mutex);
    APR_RING_INSERT_TAIL(&engine->inbox, task, iimg_task_t, link);
    apr_thread_mutex_unlock(engine->mutex);
    iimg_http_loop_wake(engine->loop);
}

static bool is_memory_full(const iimg_config_t *config)
{
    return config->services.references
           && iimg_reference_cache_used(config->services.references)
                  > (apr_size_t)config->engine_memory * 1024 * 1024;
}

bool iimg_engine_reserve(const server_rec *server)
{
    const iimg_config_t *config = iimg_config_of(server);

    if (!engine || apr_atomic_read32(&engine->state) == STOPPED || is_memory_full(config)) {
        return false;
    }
    if (apr_atomic_inc32(&engine->slots_used) >= (apr_uint32_t)config->engine_jobs) {
        apr_atomic_dec32(&engine->slots_used);
        return false;
    }
    return true;
}

void iimg_engine_release(void)
{
    apr_atomic_dec32(&engine->slots_used);
}

void iimg_engine_run(server_rec *server, const char *job_id)
{
    iimg_task_t *task = iimg_task_create(server, job_id);

    if (task) {
        send_to_engine(task);
        return;
    }
    iimg_engine_release(); /* no memory: the lease expires, and another process claims the job */
}

void iimg_engine_poll(void)
{
    if (engine) {
        apr_atomic_set32(&engine->poll_now, 1);
        iimg_http_loop_wake(engine->loop);
    }
}

/* Threads of the pool -------------------------------------------------------------------------- */

static void note_canceled(const char *job_id)
{
    apr_thread_mutex_lock(engine->mutex);
    if (engine->canceled->nelts < MAX_CANCELED) {
        apr_cpystrn(apr_array_push(engine->canceled), job_id, engine->canceled->elt_size);
    }
    apr_thread_mutex_unlock(engine->mutex);
}

/* A draining child still claims jobs while its own clients wait: there may be no other child. */
static bool claims_jobs(void)
{
    apr_uint32_t state = apr_atomic_read32(&engine->state);

    return state == RUNNING || (state == DRAINING && iimg_watch_any());
}

static void *APR_THREAD_FUNC run_poll(apr_thread_t *thread, void *unused)
{
    iimg_poll_t poll = {
        .has_jobs = apr_atomic_read32(&engine->slots_used) > 0,
        .claims_jobs = claims_jobs(),
        .reserve = iimg_engine_reserve,
        .release = iimg_engine_release,
        .run = iimg_engine_run,
        .cancel = note_canceled,
    };

    (void)thread, (void)unused;
    if (iimg_poll_run(&poll)) {
        apr_atomic_set32(&engine->poll_now, 1);
    }
    apr_atomic_set32(&engine->polling, 0);
    apr_atomic_dec32(&engine->busy_threads);
    iimg_http_loop_wake(engine->loop);
    return NULL;
}

static void *APR_THREAD_FUNC run_steps(apr_thread_t *thread, void *baton)
{
    iimg_task_t *task = baton;

    (void)thread;
    iimg_task_advance(task);
    if (task->step == IIMG_STEP_END) {
        iimg_watch_notify(task->id, -1, IIMG_WATCH_CHANGED);
    }
    send_to_engine(task);
    apr_atomic_dec32(&engine->busy_threads);
    return NULL;
}

static bool push_to_pool(apr_thread_start_t work, void *baton, apr_byte_t priority)
{
    apr_atomic_inc32(&engine->busy_threads);
    if (apr_thread_pool_push(engine->threads, work, baton, priority, NULL) == APR_SUCCESS) {
        return true;
    }
    apr_atomic_dec32(&engine->busy_threads);
    return false;
}

/* The engine's thread: tasks ------------------------------------------------------------------- */

static void schedule(iimg_task_t *task);

static void delay_task(iimg_task_t *task, apr_time_t due)
{
    task->due = due;
    task->delayed = true;
    APR_ARRAY_PUSH(engine->delayed, iimg_task_t *) = task;
}

static void end_task(iimg_task_t *task)
{
    apr_hash_set(engine->tasks, task->id, APR_HASH_KEY_STRING, NULL);
    iimg_task_destroy(task);
    iimg_engine_release();
    apr_atomic_set32(&engine->poll_now, 1); /* a queued job may take the slot */
}

static void finish_call(void *baton, iimg_http_response_t *response)
{
    iimg_task_t *task = baton;

    task->call = NULL;
    task->response = response;
    task->step = IIMG_STEP_READ_REPLY;
    schedule(task);
}

static void send_call(iimg_task_t *task)
{
    task->call = iimg_http_loop_send(engine->loop, task->call_pool, &task->http, finish_call, task);
    if (!task->call) {
        delay_task(task, apr_time_now() + RETRY_DELAY);
    }
}

/* Steps that end a job go before steps that begin one. */
static void run_in_pool(iimg_task_t *task)
{
    apr_byte_t priority = task->step < IIMG_STEP_CALL ? APR_THREAD_TASK_PRIORITY_NORMAL
                                                      : APR_THREAD_TASK_PRIORITY_HIGH;

    if (!push_to_pool(run_steps, task, priority)) {
        delay_task(task, apr_time_now() + RETRY_DELAY);
    }
}

/* Starts the next step of a task that no other thread has. */
static void schedule(iimg_task_t *task)
{
    if (!apr_hash_get(engine->tasks, task->id, APR_HASH_KEY_STRING)) {
        apr_hash_set(engine->tasks, task->id, APR_HASH_KEY_STRING, task);
    }
    if (task->step == IIMG_STEP_END) {
        end_task(task);
        return;
    }
    if (task->stuck) {
        task->stuck = false;
        iimg_watch_notify(task->id, -1, IIMG_WATCH_STUCK);
    }
    if (task->due > apr_time_now()) {
        delay_task(task, task->due);
    }
    else if (task->step == IIMG_STEP_CALL) {
        send_call(task);
    }
    else {
        run_in_pool(task);
    }
}

static void empty_inbox(void)
{
    struct inbox_t inbox;
    iimg_task_t *task;

    APR_RING_INIT(&inbox, iimg_task_t, link);
    apr_thread_mutex_lock(engine->mutex);
    APR_RING_CONCAT(&inbox, &engine->inbox, iimg_task_t, link);
    apr_thread_mutex_unlock(engine->mutex);
    while (!APR_RING_EMPTY(&inbox, iimg_task_t, link)) {
        task = APR_RING_FIRST(&inbox);
        APR_RING_REMOVE(task, link);
        schedule(task);
    }
}

/* A task that is delayed again is appended, and is not due within this loop.
 * @return when the next task is due; 0: none is delayed */
static apr_time_t start_due_tasks(void)
{
    apr_array_header_t *delayed = engine->delayed;
    apr_time_t now = apr_time_now(), next = 0;
    int remaining = 0;

    for (int i = 0; i < delayed->nelts; i++) {
        iimg_task_t *task = APR_ARRAY_IDX(delayed, i, iimg_task_t *);

        if (task->due > now) {
            APR_ARRAY_IDX(delayed, remaining++, iimg_task_t *) = task;
            next = !next || task->due < next ? task->due : next;
        }
        else {
            task->delayed = false;
            task->due = 0;
            schedule(task);
        }
    }
    delayed->nelts = remaining;
    return next;
}

/* A delayed task becomes due at once and ends; other tasks see the cancellation in the row. */
static void cancel_tasks(void)
{
    apr_array_header_t *ids = engine->canceled;

    apr_thread_mutex_lock(engine->mutex);
    for (int i = 0; i < ids->nelts; i++) {
        iimg_task_t *task = apr_hash_get(engine->tasks, ids->elts + i * ids->elt_size,
                                         APR_HASH_KEY_STRING);

        if (task && task->delayed && iimg_task_cancel(task)) {
            task->due = 0;
        }
    }
    apr_array_clear(ids);
    apr_thread_mutex_unlock(engine->mutex);
}

/* The engine's thread: loop -------------------------------------------------------------------- */

static void poll_if_due(void)
{
    apr_time_t now = apr_time_now();
    bool busy = apr_atomic_read32(&engine->slots_used) > 0 || iimg_watch_any();

    if (apr_atomic_read32(&engine->polling)
        || (now < engine->next_poll && !apr_atomic_read32(&engine->poll_now))) {
        return;
    }
    apr_atomic_set32(&engine->poll_now, 0);
    apr_atomic_set32(&engine->polling, 1);
    engine->next_poll = now + (busy ? BUSY_INTERVAL : IDLE_INTERVAL);
    if (!push_to_pool(run_poll, NULL, APR_THREAD_TASK_PRIORITY_HIGHEST)) {
        apr_atomic_set32(&engine->polling, 0);
    }
}

static void notify_if_due(void)
{
    apr_time_t now = apr_time_now();

    if (now - engine->notified >= NOTIFY_INTERVAL) {
        engine->notified = now;
        iimg_watch_notify_due(now);
    }
}

/* After DRAIN_TIMEOUT, each task with a paid reply retries once more, then leaves it in the spool
 * for another process. */
static void limit_drain(void)
{
    if (!engine->draining_since) {
        engine->draining_since = apr_time_now();
    }
    if (apr_time_now() - engine->draining_since < DRAIN_TIMEOUT) {
        return;
    }
    for (int i = 0; i < engine->delayed->nelts; i++) {
        iimg_task_t *task = APR_ARRAY_IDX(engine->delayed, i, iimg_task_t *);

        task->last_try = task->step >= IIMG_STEP_STORE;
        task->due = task->last_try ? 0 : task->due;
    }
}

static bool is_done(void)
{
    if (apr_atomic_read32(&engine->state) == STOPPED) {
        return true;
    }
    if (!apr_atomic_read32(&engine->no_requests)) {
        return false;
    }
    limit_drain();
    return apr_atomic_read32(&engine->slots_used) == 0;
}

/* @param next_task 0: no task is delayed */
static apr_interval_time_t time_until_next(apr_time_t next_task)
{
    apr_time_t now = apr_time_now();
    apr_time_t next = next_task && next_task < engine->next_poll ? next_task : engine->next_poll;
    bool poll_now = apr_atomic_read32(&engine->poll_now) && !apr_atomic_read32(&engine->polling);

    return poll_now || next <= now ? 0 : next - now;
}

static void *APR_THREAD_FUNC run_engine(apr_thread_t *thread, void *unused)
{
    (void)thread, (void)unused;
    while (!is_done()) {
        empty_inbox();
        cancel_tasks();
        poll_if_due();
        notify_if_due();
        iimg_http_loop_turn(engine->loop, time_until_next(start_due_tasks()));
    }
    return NULL;
}

/* Start and stop ------------------------------------------------------------------------------- */

void iimg_engine_stop(bool graceful)
{
    if (engine) {
        apr_atomic_set32(&engine->state, graceful ? DRAINING : STOPPED);
        iimg_http_loop_wake(engine->loop);
    }
}

static bool wait_for_threads(apr_interval_time_t timeout)
{
    apr_time_t deadline = apr_time_now() + timeout;

    while (apr_atomic_read32(&engine->busy_threads) && apr_time_now() < deadline) {
        apr_sleep(APR_USEC_PER_SEC / 100);
    }
    return apr_atomic_read32(&engine->busy_threads) == 0;
}

/* Runs when the child's request threads have ended. A graceful stop waits here for all tasks. */
static apr_status_t finish(void *unused)
{
    apr_status_t rv;
    bool has_jobs;

    (void)unused;
    if (apr_atomic_read32(&engine->state) == RUNNING) {
        apr_atomic_set32(&engine->state, STOPPED); /* httpd announced no graceful stop */
    }
    apr_atomic_set32(&engine->no_requests, 1);
    iimg_http_loop_wake(engine->loop);
    apr_thread_join(&rv, engine->thread);
    has_jobs = apr_atomic_read32(&engine->slots_used) > 0;
    if (!wait_for_threads(STOP_TIMEOUT)) {
        _exit(0); /* blocked by a backend: other processes reclaim these jobs */
    }
    if (has_jobs || apr_hash_count(engine->tasks)) {
        iimg_poll_release();
    }
    apr_thread_pool_destroy(engine->threads);
    iimg_poll_end();
    return APR_SUCCESS;
}

const char *iimg_engine_start(apr_pool_t *pchild, server_rec *main_server)
{
    int threads;

    engine = apr_pcalloc(pchild, sizeof(*engine));
    engine->tasks = apr_hash_make(pchild);
    engine->delayed = apr_array_make(pchild, 64, sizeof(iimg_task_t *));
    engine->canceled = apr_array_make(pchild, 8, 37);
    engine->next_poll = apr_time_now() + FIRST_POLL;
    APR_RING_INIT(&engine->inbox, iimg_task_t, link);
    if (!iimg_poll_start(pchild, main_server, &threads)) {
        return NULL;
    }
    engine->loop = iimg_http_loop_create(pchild);
    if (!engine->loop || iimg_watch_start(pchild) != APR_SUCCESS
        || apr_thread_mutex_create(&engine->mutex, APR_THREAD_MUTEX_DEFAULT, pchild) != APR_SUCCESS
        || apr_thread_pool_create(&engine->threads, 0, (apr_size_t)threads + 1, pchild)
               != APR_SUCCESS
        || apr_thread_create(&engine->thread, NULL, run_engine, NULL, pchild) != APR_SUCCESS) {
        return "cannot start the threads that run generations; raise ulimit -u and ulimit -n";
    }
    apr_thread_pool_idle_max_set(engine->threads, (apr_size_t)threads + 1);
    apr_pool_pre_cleanup_register(pchild, NULL, finish);
    return NULL;
}
