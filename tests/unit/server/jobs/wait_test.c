/* wait_test.c - server/jobs/wait.c: places for requests that wait, and when a wait ends, by a clock
 * of the test's own. */
#include <apr_thread_cond.h>
#include <apr_time.h>

static apr_time_t wait_clock = 1800000000000000;
static apr_status_t wait_for(apr_thread_mutex_t *mutex, apr_interval_time_t time);

#define apr_time_now()                               wait_clock
#define apr_thread_cond_timedwait(cond, mutex, time) wait_for(mutex, time)
#include "server/jobs/wait.c"
#include "server/jobs/wait_condition.c"
#undef apr_time_now
#undef apr_thread_cond_timedwait

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t config;

static struct {
    bool can_park, parks;
    int parked, left, watched, unwatched, answered, asked, watched_version;
    bool memory, readable, exists, ended, ends_after_one;
    int version;
    iimg_watch_fn tell;
    void *listener;
    iimg_watch_event_t news;
    bool has_news; /* one piece, during the next wait */
    apr_interval_time_t waits[8];
    int wait_count;
} world;

static apr_status_t wait_for(apr_thread_mutex_t *mutex, apr_interval_time_t time)
{
    if (world.wait_count < 8) {
        world.waits[world.wait_count++] = time;
    }
    if (world.has_news) {
        world.has_news = false;
        apr_thread_mutex_unlock(mutex);
        world.tell(world.listener, world.news);
        apr_thread_mutex_lock(mutex);
        return APR_SUCCESS;
    }
    wait_clock += time;
    return APR_TIMEUP;
}

bool iimg_park_reserve(iimg_request_t *req)
{
    (void)req;
    return world.can_park;
}

void iimg_park_release(const iimg_request_t *req)
{
    (void)req;
    world.left++;
}

bool iimg_park(iimg_request_t *req, const iimg_wait_condition_t *awaited)
{
    (void)req, (void)awaited;
    world.parked++;
    return world.parks;
}

iimg_watch_t *iimg_watch_add(apr_pool_t *pool, server_rec *server, const char *job_id, int version,
                             iimg_watch_fn news, void *baton)
{
    (void)pool, (void)server, (void)job_id;
    world.watched++;
    world.watched_version = version;
    world.tell = news;
    world.listener = baton;
    return (iimg_watch_t *)&world;
}

void iimg_watch_remove(iimg_watch_t *watch)
{
    world.unwatched += (void *)watch == (void *)&world;
}

void iimg_prefer_parse(apr_pool_t *pool, const char *header, iimg_prefer_t *prefer)
{
    (void)pool, (void)header, (void)prefer;
}

bool iimg_context_brief(const iimg_context_t *whole, iimg_context_t *brief)
{
    *brief = *whole;
    return world.memory && apr_pool_create(&brief->pool, whole->pool) == APR_SUCCESS;
}

iimg_error_t *iimg_generation_job_news(iimg_context_t *of, const apr_array_header_t *ids,
                                       apr_array_header_t **news)
{
    world.asked++;
    *news = apr_array_make(of->pool, 1, sizeof(iimg_generation_job_news_t));
    if (!world.readable) {
        return iimg_error(of->pool, IIMG_UNAVAILABLE, "away");
    }
    if (world.exists) {
        APR_ARRAY_PUSH(*news, iimg_generation_job_news_t) = (iimg_generation_job_news_t){
            APR_ARRAY_IDX(ids, 0, const char *), world.version,
            world.ended || (world.ends_after_one && world.asked > 1)
        };
    }
    return NULL;
}

static iimg_error_t *answer(iimg_request_t *req, const char *job_id)
{
    (void)req, (void)job_id;
    world.answered++;
    return NULL;
}

static iimg_request_t *request(void)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));

    memset(&world, 0, sizeof(world));
    world.memory = world.readable = world.exists = true;
    world.version = 3;
    req->r = apr_pcalloc(context->pool, sizeof(*req->r));
    req->r->pool = context->pool;
    req->context = context;
    req->config = &config;
    return req;
}

static iimg_wait_condition_t awaited(int seconds, int version)
{
    return (iimg_wait_condition_t){ "job", version, iimg_wait_deadline(seconds), answer };
}

static void test_deadline(void)
{
    tap_is_number(iimg_wait_deadline(59) - wait_clock, 59000000, "59 s: 59 s");
    tap_is_number(iimg_wait_deadline(60) - wait_clock, 60000000, "60 s: 60 s");
    tap_is_number(iimg_wait_deadline(61) - wait_clock, 60000000, "61 s: 60 s, the most");
}

static void test_places(void)
{
    iimg_request_t *one = request(), *two = request(), *three = request();

    config.max_waiting = 2;
    one->place = IIMG_PLACE_PARKED;
    tap_ok(iimg_wait_reserve(one) && one->place == IIMG_PLACE_THREAD, "the first place of two");
    tap_ok(iimg_wait_reserve(two) && two->place == IIMG_PLACE_THREAD, "the second place of two");
    tap_ok(!iimg_wait_reserve(three) && three->place == IIMG_PLACE_NONE, "no third place of two");
    tap_ok(!iimg_wait_reserve(three), "a refused request has not taken a place");
    iimg_wait_release(one);
    tap_ok(one->place == IIMG_PLACE_NONE, "a request that leaves has no place");
    iimg_wait_release(one);
    tap_ok(iimg_wait_reserve(three) && !iimg_wait_reserve(one),
           "a place that is left twice is one");
    tap_is_number(world.left, 0, "threads do not leave parked places");
    world.can_park = true;
    tap_ok(iimg_wait_reserve(one) && one->place == IIMG_PLACE_PARKED,
           "a request that can be parked needs no thread");
    iimg_wait_release(one);
    tap_is_number(world.left, 1, "a parked place is left once");
    world.can_park = false;
    tap_ok(!iimg_wait_reserve(one), "a parked place is no thread's");
    iimg_wait_release(two);
    iimg_wait_release(three);
    config.max_waiting = 0;
    tap_ok(!iimg_wait_reserve(request()), "no places: none is taken");
    config.max_waiting = 1;
    tap_is(iimg_wait_refuse(one)->code, "generations_busy", "no place: its code");
    tap_is_number(iimg_wait_refuse(one)->kind, IIMG_BUSY, "no place: busy");
}

static void test_over(void)
{
    static const struct {
        const char *what;
        bool memory, readable, exists, ended;
        int version;
        bool over, known;
    } cases[] = {
        { "a job that runs", true, true, true, false, -1, false, true },
        { "a job that has ended", true, true, true, true, -1, true, true },
        { "a job that is gone", true, true, false, false, -1, true, true },
        { "the same version", true, true, true, false, 3, false, true },
        { "a newer version", true, true, true, false, 2, true, true },
        { "an older version", true, true, true, false, 4, true, true },
        { "version 0", true, true, true, false, 0, true, true },
        { "no database", true, false, true, true, -1, false, false },
        { "no memory", false, true, true, true, -1, false, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_request_t *req = request();
        iimg_wait_condition_t what = awaited(10, cases[i].version);
        bool known;

        world.memory = cases[i].memory;
        world.readable = cases[i].readable;
        world.exists = cases[i].exists;
        world.ended = cases[i].ended;
        tap_ok(iimg_wait_condition_is_met(req, &what, &known) == cases[i].over,
               "%s: the wait is %s", cases[i].what, cases[i].over ? "over" : "not over");
        tap_ok(known == cases[i].known, "%s: that is %s", cases[i].what,
               cases[i].known ? "known" : "unknown");
    }
}

static iimg_request_t *with_thread(void)
{
    iimg_request_t *req = request();

    iimg_wait_reserve(req);
    return req;
}

static void done(iimg_request_t *req, int answered, int waits, const char *what)
{
    tap_is_number(world.answered, answered, "%s: answers", what);
    tap_is_number(world.wait_count, waits, "%s: waits", what);
    tap_is_number(world.watched, world.unwatched, "%s: nothing is watched any more", what);
    tap_ok(req->place == IIMG_PLACE_NONE || !answered, "%s: the place is free", what);
}

static void test_thread(void)
{
    iimg_request_t *req = with_thread();
    iimg_wait_condition_t what = awaited(10, 3);

    iimg_wait_and_answer(req, &what);
    done(req, 1, 1, "no news");
    tap_is_number(world.waits[0], 10000000, "no news: the whole time");
    tap_is_number(world.watched_version, 3, "the client's version is watched");

    req = with_thread();
    what = awaited(10, -1);
    world.ended = true;
    iimg_wait_and_answer(req, &what);
    done(req, 1, 0, "a job that has ended before");
    tap_is_number(world.watched, 1, "the row is read after the watch is set");

    req = with_thread();
    what = awaited(10, -1);
    world.has_news = world.ends_after_one = true;
    world.news = IIMG_WATCH_CHANGED;
    iimg_wait_and_answer(req, &what);
    done(req, 1, 1, "news of the end");

    req = with_thread();
    what = awaited(10, -1);
    world.has_news = true;
    world.news = IIMG_WATCH_CHANGED;
    iimg_wait_and_answer(req, &what);
    done(req, 1, 2, "news of something else");
    tap_is_number(world.asked, 2, "news of something else: the row is read again");

    req = with_thread();
    what = awaited(10, -1);
    world.has_news = true;
    world.news = IIMG_WATCH_STUCK;
    iimg_wait_and_answer(req, &what);
    done(req, 1, 1, "a job that is stuck");

    req = with_thread();
    what = awaited(10, -1);
    world.readable = false;
    iimg_wait_and_answer(req, &what);
    tap_is_number(world.waits[0], 1000000, "no database: another look after a second");
    tap_is_number(world.asked, 10, "no database: ten looks in ten seconds");
    tap_is_number(world.answered, 1, "no database: answered at the deadline");

    req = with_thread();
    what = awaited(0, -1);
    iimg_wait_and_answer(req, &what);
    done(req, 1, 0, "no time");
}

static void test_parked(void)
{
    iimg_request_t *req = request();
    iimg_wait_condition_t what = awaited(10, -1);

    world.can_park = world.parks = true;
    iimg_wait_reserve(req);
    iimg_wait_and_answer(req, &what);
    done(req, 0, 0, "a parked request");
    tap_ok(req->parked && !world.left, "a parked request keeps its place");

    req = request();
    world.can_park = true;
    iimg_wait_reserve(req);
    iimg_wait_and_answer(req, &what);
    done(req, 1, 0, "a request that cannot be parked after all");
    tap_ok(!req->parked && world.left == 1, "a request that is not parked leaves its place");

    req = request();
    world.can_park = world.parks = world.ended = true;
    iimg_wait_reserve(req);
    iimg_wait_and_answer(req, &what);
    done(req, 1, 0, "a request whose job has ended");
    tap_ok(!req->parked && !world.parked, "a request whose job has ended is not parked");

    req = request();
    iimg_wait_and_answer(req, &what);
    done(req, 1, 0, "a request without a place");
}

int main(void)
{
    context = work_begin();
    test_deadline();
    test_places();
    test_over();
    config.max_waiting = 1;
    test_thread();
    test_parked();
    work_end(context);
    return tap_done();
}
