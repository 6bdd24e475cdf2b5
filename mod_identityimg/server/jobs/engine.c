/* engine.c - the thread that holds a child's jobs, and what it looks after from time to time. */
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
#include "base/fault.h"
#include "base/log.h"
#include "server/config/config.h"
#include "server/jobs/poll.h"
#include "server/jobs/task.h"
#include "server/jobs/watch.h"
#include "server/http/request.h"
#include "services/reference_cache.h"

#define BUSY_TICK      apr_time_from_sec(1) /* while there are jobs, or somebody waits for one */
#define IDLE_TICK      apr_time_from_sec(2)
#define FIRST_TICK     (APR_USEC_PER_SEC / 2) /* many children begin at the same time */
#define MOST_CANCELED  200                    /* jobs that are known to be canceled */
#define LAST_CHANCE    apr_time_from_sec(60)  /* for what waits for a backend when the child ends */
#define ABORT_PATIENCE apr_time_from_sec(4)   /* the parent kills after ten */

enum {
    RUNS,
    DRAINS,
    ENDS
}; /* what becomes of the child */

typedef struct engine_t {
    iimg_http_loop_t *loop;
    apr_thread_t *thread;
    apr_thread_pool_t *hands; /* do what blocks */
    apr_uint32_t count;       /* tasks, and room reserved for them; atomic */
    apr_uint32_t working;     /* hands that do something; atomic */
    apr_uint32_t ticking;     /* atomic: one look at the database at a time */
    apr_uint32_t hurry;       /* atomic: look at the queue at once */
    apr_uint32_t state;       /* atomic */
    apr_uint32_t drain;       /* atomic: no request comes any more: end when nothing is left */

    apr_thread_mutex_t *mutex;                 /* guards what follows */
    APR_RING_HEAD(inbox_t, iimg_task_t) inbox; /* tasks for the engine's thread */
    apr_array_header_t *to_cancel;             /* char[37]: jobs, from the last look */

    /* The engine's thread alone. */
    apr_hash_t *tasks;           /* id -> iimg_task_t */
    apr_array_header_t *waiting; /* iimg_task_t *: those that are not due yet */
    apr_time_t next_tick;
    apr_time_t draining_since;
    apr_time_t told_time;
} engine_t;

static engine_t *engine; /* this child's; set before its threads start */

/* From any thread to the engine's ----------------------------------------------------------------
 */

static void send_to_engine(iimg_task_t *task)
{
    apr_thread_mutex_lock(engine->mutex);
    APR_RING_INSERT_TAIL(&engine->inbox, task, iimg_task_t, link);
    apr_thread_mutex_unlock(engine->mutex);
    iimg_http_loop_wake(engine->loop);
}

bool iimg_engine_reserve(const server_rec *server)
{
    const iimg_config_t *config = iimg_config_of(server);
    apr_size_t most = (apr_size_t)config->engine_memory * 1024 * 1024;

    if (!engine || apr_atomic_read32(&engine->state) == ENDS
        || (config->services.references
            && iimg_reference_cache_used(config->services.references) > most)) {
        return false;
    }
    if (apr_atomic_inc32(&engine->count) >= (apr_uint32_t)config->engine_jobs) {
        apr_atomic_dec32(&engine->count);
        return false;
    }
    return true;
}

void iimg_engine_forgo(void)
{
    apr_atomic_dec32(&engine->count);
}

void iimg_engine_run(server_rec *server, const char *job_id)
{
    iimg_task_t *task = iimg_task_create(server, job_id);

    if (task) {
        send_to_engine(task);
        return;
    }
    iimg_engine_forgo(); /* its lease ends, and somebody else takes it */
}

void iimg_engine_look(void)
{
    if (engine) {
        apr_atomic_set32(&engine->hurry, 1);
        iimg_http_loop_wake(engine->loop);
    }
}

/* A look at the databases, by a hand -------------------------------------------------------------
 */

/* What there is no room for is told again at the next look. */
static void note_canceled(const char *job_id)
{
    apr_thread_mutex_lock(engine->mutex);
    if (engine->to_cancel->nelts < MOST_CANCELED) {
        apr_cpystrn(apr_array_push(engine->to_cancel), job_id, engine->to_cancel->elt_size);
    }
    apr_thread_mutex_unlock(engine->mutex);
}

/* A child that is to end still runs what its own clients wait for: there may be no other child. */
static bool takes_jobs(void)
{
    apr_uint32_t state = apr_atomic_read32(&engine->state);

    return state == RUNS || (state == DRAINS && iimg_watches_any());
}

static void *APR_THREAD_FUNC tick(apr_thread_t *thread, void *unused)
{
    iimg_look_t look = { apr_atomic_read32(&engine->count) > 0, takes_jobs(), note_canceled };

    (void)thread, (void)unused;
    if (iimg_look_now(&look)) {
        apr_atomic_set32(&engine->hurry, 1);
    }
    apr_atomic_set32(&engine->ticking, 0);
    apr_atomic_dec32(&engine->working);
    iimg_http_loop_wake(engine->loop);
    return NULL;
}

/* Steps, by a hand --------------------------------------------------------------------------------
 */

static void *APR_THREAD_FUNC advance(apr_thread_t *thread, void *baton)
{
    iimg_task_t *task = baton;

    (void)thread;
    iimg_task_advance(task);
    if (task->step == IIMG_STEP_END) {
        iimg_watches_tell(task->id, -1,
                          IIMG_NEWS_CHANGED); /* who waits does so for no thread more */
    }
    send_to_engine(task);
    apr_atomic_dec32(&engine->working);
    return NULL;
}

/* What ends a job goes before what begins one. */
static bool hand_over(apr_thread_start_t work, void *baton, apr_byte_t priority)
{
    apr_atomic_inc32(&engine->working);
    if (apr_thread_pool_push(engine->hands, work, baton, priority, NULL) == APR_SUCCESS) {
        return true;
    }
    apr_atomic_dec32(&engine->working);
    return false;
}

/* The engine's thread ----------------------------------------------------------------------------
 */

static void place(iimg_task_t *task);

static void wait_until(iimg_task_t *task, apr_time_t due)
{
    task->due = due;
    task->waits = true;
    APR_ARRAY_PUSH(engine->waiting, iimg_task_t *) = task;
}

static void drop(iimg_task_t *task)
{
    apr_hash_set(engine->tasks, task->id, APR_HASH_KEY_STRING, NULL);
    iimg_task_destroy(task);
    apr_atomic_dec32(&engine->count);
    apr_atomic_set32(&engine->hurry, 1); /* its place may be somebody's turn */
}

static void call_ended(void *baton, iimg_http_response_t *response)
{
    iimg_task_t *task = baton;

    task->call = NULL;
    task->response = response;
    task->step = IIMG_STEP_ANSWER;
    place(task);
}

static void send_call(iimg_task_t *task)
{
    task->call = iimg_http_loop_send(engine->loop, task->call_pool, &task->http, call_ended, task);
    if (!task->call) {
        wait_until(task, apr_time_now() + APR_USEC_PER_SEC); /* no memory, at the moment */
    }
}

/* Where a task belongs that is in nobody's hand. */
static void place(iimg_task_t *task)
{
    bool known = apr_hash_get(engine->tasks, task->id, APR_HASH_KEY_STRING) != NULL;

    if (!known) {
        apr_hash_set(engine->tasks, task->id, APR_HASH_KEY_STRING, task);
    }
    if (task->step == IIMG_STEP_END) {
        drop(task);
        return;
    }
    if (task->stuck) {
        task->stuck = false;
        iimg_watches_tell(task->id, -1, IIMG_NEWS_STUCK);
    }
    if (task->due > apr_time_now()) {
        wait_until(task, task->due);
        return;
    }
    if (task->step == IIMG_STEP_CALL) {
        send_call(task);
    }
    else if (!hand_over(advance, task,
                        task->step < IIMG_STEP_CALL ? APR_THREAD_TASK_PRIORITY_NORMAL
                                                    : APR_THREAD_TASK_PRIORITY_HIGH)) {
        wait_until(task, apr_time_now() + APR_USEC_PER_SEC);
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
        place(task);
    }
}

/* @return when the next one is due; 0: none is */
static apr_time_t start_due(void)
{
    apr_array_header_t *waiting = engine->waiting;
    apr_time_t now = apr_time_now(), next = 0;
    int left = 0, count = waiting->nelts;

    for (int i = 0; i < count; i++) {
        iimg_task_t *task = APR_ARRAY_IDX(waiting, i, iimg_task_t *);

        if (task->due > now) {
            APR_ARRAY_IDX(waiting, left, iimg_task_t *) = task;
            next = !next || task->due < next ? task->due : next;
            left++;
            continue;
        }
        task->waits = false;
        task->due = 0;
        place(task); /* may wait again: then it stands behind `count` */
    }
    for (int i = count; i < waiting->nelts; i++) {
        iimg_task_t *task = APR_ARRAY_IDX(waiting, i, iimg_task_t *);

        APR_ARRAY_IDX(waiting, left, iimg_task_t *) = task;
        next = !next || task->due < next ? task->due : next;
        left++;
    }
    waiting->nelts = left;
    return next;
}

/* One that waits is due at once, and then sees that it was canceled. */
static void cancel_some(void)
{
    apr_array_header_t *ids = engine->to_cancel;

    apr_thread_mutex_lock(engine->mutex);
    for (int i = 0; i < ids->nelts; i++) {
        iimg_task_t *task = apr_hash_get(engine->tasks, ids->elts + i * ids->elt_size,
                                         APR_HASH_KEY_STRING);

        if (task && task->waits && iimg_task_cancel(task)) {
            task->due = 0;
        }
    }
    apr_array_clear(ids);
    apr_thread_mutex_unlock(engine->mutex);
}

static void tick_if_due(void)
{
    apr_time_t now = apr_time_now();
    bool busy = apr_atomic_read32(&engine->count) > 0 || iimg_watches_any();

    if (apr_atomic_read32(&engine->ticking)
        || (now < engine->next_tick && !apr_atomic_read32(&engine->hurry))) {
        return;
    }
    apr_atomic_set32(&engine->hurry, 0);
    apr_atomic_set32(&engine->ticking, 1);
    engine->next_tick = now + (busy ? BUSY_TICK : IDLE_TICK);
    if (!hand_over(tick, NULL, APR_THREAD_TASK_PRIORITY_HIGHEST)) {
        apr_atomic_set32(&engine->ticking, 0);
    }
}

/* The child ends, and backends are away: what waits for them is left to others. */
static void give_last_chance(void)
{
    if (!engine->draining_since) {
        engine->draining_since = apr_time_now();
    }
    if (apr_time_now() - engine->draining_since < LAST_CHANCE) {
        return;
    }
    for (int i = 0; i < engine->waiting->nelts; i++) {
        iimg_task_t *task = APR_ARRAY_IDX(engine->waiting, i, iimg_task_t *);

        task->last_chance = task->step >= IIMG_STEP_KEEP;
        task->due = task->last_chance ? 0 : task->due;
    }
}

static bool is_done(void)
{
    if (apr_atomic_read32(&engine->state) == ENDS) {
        return true;
    }
    if (!apr_atomic_read32(&engine->drain)) {
        return false;
    }
    give_last_chance();
    return apr_atomic_read32(&engine->count) == 0;
}

/* A quarter of a second is good enough for those who wait. */
static bool now_and_then(void)
{
    apr_time_t now = apr_time_now();

    if (now - engine->told_time < APR_USEC_PER_SEC / 4) {
        return false;
    }
    engine->told_time = now;
    return true;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *unused)
{
    (void)thread, (void)unused;
    while (!is_done()) {
        apr_time_t next, now;

        empty_inbox();
        cancel_some();
        tick_if_due();
        if (now_and_then()) {
            iimg_watches_tell_time(engine->told_time);
        }
        next = start_due();
        now = apr_time_now();
        next = next && next < engine->next_tick ? next : engine->next_tick;
        next = apr_atomic_read32(&engine->hurry) && !apr_atomic_read32(&engine->ticking) ? now
                                                                                         : next;
        iimg_http_loop_turn(engine->loop, next > now ? next - now : 0);
    }
    return NULL;
}

/* Beginning and end
 * -------------------------------------------------------------------------------- */

void iimg_engine_stop(bool graceful)
{
    if (engine) {
        apr_atomic_set32(&engine->state, graceful ? DRAINS : ENDS);
        iimg_http_loop_wake(engine->loop);
    }
}

static bool hands_are_idle(apr_interval_time_t patience)
{
    apr_time_t deadline = apr_time_now() + patience;

    while (apr_atomic_read32(&engine->working) && apr_time_now() < deadline) {
        apr_sleep(APR_USEC_PER_SEC / 100);
    }
    return apr_atomic_read32(&engine->working) == 0;
}

/* The child's threads that serve requests have ended. Who stops gracefully brings all to its end.
 */
static apr_status_t finish(void *unused)
{
    apr_status_t rv;
    bool left;

    (void)unused;
    if (apr_atomic_read32(&engine->state) == RUNS) {
        apr_atomic_set32(&engine->state, ENDS); /* nobody said that there is time */
    }
    apr_atomic_set32(&engine->drain, 1);
    iimg_http_loop_wake(engine->loop);
    apr_thread_join(&rv, engine->thread);
    left = apr_atomic_read32(&engine->count) > 0;
    if (!hands_are_idle(ABORT_PATIENCE)) {
        _exit(0); /* they wait for a backend: what they hold is found by others */
    }
    if (left || apr_hash_count(engine->tasks)) {
        iimg_look_release();
    }
    apr_thread_pool_destroy(engine->hands);
    iimg_look_end();
    return APR_SUCCESS;
}

const char *iimg_engine_start(apr_pool_t *pchild, server_rec *main_server)
{
    int threads;

    engine = apr_pcalloc(pchild, sizeof(*engine));
    engine->tasks = apr_hash_make(pchild);
    engine->waiting = apr_array_make(pchild, 64, sizeof(iimg_task_t *));
    engine->to_cancel = apr_array_make(pchild, 8, 37);
    engine->next_tick = apr_time_now() + FIRST_TICK;
    APR_RING_INIT(&engine->inbox, iimg_task_t, link);
    if (!iimg_look_start(pchild, main_server, &threads)) {
        return NULL;
    }
    engine->loop = iimg_http_loop_create(pchild);
    if (!engine->loop || iimg_watches_start(pchild) != APR_SUCCESS
        || apr_thread_mutex_create(&engine->mutex, APR_THREAD_MUTEX_DEFAULT, pchild) != APR_SUCCESS
        || apr_thread_pool_create(&engine->hands, 0, (apr_size_t)threads + 1, pchild) != APR_SUCCESS
        || apr_thread_create(&engine->thread, NULL, run, NULL, pchild) != APR_SUCCESS) {
        return "this child has no thread for generations";
    }
    apr_thread_pool_idle_max_set(engine->hands, (apr_size_t)threads + 1);
    apr_pool_pre_cleanup_register(pchild, NULL, finish);
    return NULL;
}
