/* poll_test.c - server/jobs/poll.c: what is asked of which database and how often, by a clock of
 * the test's own. */
#include <apr_time.h>

static apr_time_t poll_clock = 1800000000000000;

#define apr_time_now() poll_clock
#include "server/jobs/poll.c"
#undef apr_time_now

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t configs[3];
static server_rec servers[3];
static iimg_services_t services;

static struct {
    int room, reserved, forgone, run, locked, taken, most, renewed, canceled, news, told, cleared,
        saved, dead, buried, done, released, caches, expired, ended, lease, told_version;
    iimg_error_t *take_error, *renew_error, *release_error;
    int jobs, watched, releases;
    bool alive, job_ended;
    const char *dir, *owner, *node;
} world;

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return &configs[server - servers];
}

iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name)
{
    iimg_context_t *made = apr_pmemdup(pool, context, sizeof(*made));

    (void)server, (void)name;
    made->pool = pool;
    made->services = &services;
    return made;
}

const char *iimg_dbd_settings(apr_pool_t *pool, const server_rec *server)
{
    (void)pool;
    return server == &servers[2] ? "other" : "same";
}

static bool reserve(const server_rec *server)
{
    (void)server;
    return world.reserved < world.room && ++world.reserved;
}

static void release(void)
{
    world.forgone++;
}

static void run(server_rec *server, const char *job_id)
{
    (void)server, (void)job_id;
    world.run++;
}

apr_array_header_t *iimg_watch_jobs(apr_pool_t *pool, const char *settings)
{
    apr_array_header_t *ids = apr_array_make(pool, 2, sizeof(const char *));

    (void)settings;
    for (int i = 0; i < world.watched; i++) {
        APR_ARRAY_PUSH(ids, const char *) = "job";
    }
    return ids;
}

void iimg_watch_notify(const char *job_id, int version, iimg_watch_event_t news)
{
    (void)job_id, (void)news;
    world.told++;
    world.told_version = version;
}

iimg_liveness_t *iimg_liveness_register(apr_pool_t *pool, const char *dir, const char *owner,
                                        const char *name)
{
    static iimg_liveness_t alive;

    (void)pool, (void)name;
    alive.dir = dir;
    world.dir = dir;
    world.owner = owner;
    return &alive;
}

void iimg_liveness_unregister(iimg_liveness_t *alive)
{
    (void)alive;
    world.ended++;
}

void iimg_liveness_find_dead(apr_pool_t *pool, const iimg_liveness_t *alive,
                             apr_array_header_t **dead)
{
    (void)alive;
    world.dead++;
    *dead = apr_array_make(pool, 1, sizeof(iimg_liveness_dead_t));
    if (world.alive) {
        APR_ARRAY_PUSH(*dead, iimg_liveness_dead_t) = (iimg_liveness_dead_t){ "node/9/dead", "x",
                                                                              0 };
    }
}

void iimg_liveness_close_dead(const iimg_liveness_dead_t *dead, bool done)
{
    (void)dead;
    world.buried++;
    world.done = done;
}

void iimg_spool_cleanup(apr_pool_t *pool, const char *dir, const apr_array_header_t *all)
{
    (void)pool, (void)dir;
    world.cleared = all->nelts;
}

void iimg_save_unsaved_jobs(iimg_context_t *of)
{
    (void)of;
    world.saved++;
}

iimg_error_t *iimg_generation_load_lock(iimg_context_t *of)
{
    (void)of;
    world.locked++;
    return NULL;
}

iimg_error_t *iimg_db_transaction(iimg_context_t *of, iimg_db_step_fn work, void *baton)
{
    return work(of, baton);
}

iimg_error_t *iimg_generation_job_take(iimg_context_t *of, const iimg_generation_taker_t *taker,
                                       apr_array_header_t **ids)
{
    world.taken++;
    world.most = taker->most;
    world.lease = taker->lease;
    world.node = taker->node;
    *ids = apr_array_make(of->pool, 4, sizeof(const char *));
    for (int i = 0; i < world.jobs; i++) {
        APR_ARRAY_PUSH(*ids, const char *) = "job";
    }
    return world.take_error;
}

iimg_error_t *iimg_generation_job_renew(iimg_context_t *of, const char *owner, int lease)
{
    (void)of, (void)owner;
    world.renewed++;
    world.lease = lease;
    return world.renew_error;
}

iimg_error_t *iimg_generation_job_release(iimg_context_t *of, const char *owner, int *count)
{
    (void)of;
    world.released++;
    world.owner = owner;
    *count = world.releases;
    return world.released == 1 ? world.release_error : NULL;
}

iimg_error_t *iimg_generation_job_to_cancel(iimg_context_t *of, const char *owner,
                                            apr_array_header_t **ids)
{
    (void)owner;
    *ids = apr_array_make(of->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(*ids, const char *) = "job";
    return NULL;
}

iimg_error_t *iimg_generation_job_news(iimg_context_t *of, const apr_array_header_t *ids,
                                       apr_array_header_t **news)
{
    (void)ids;
    world.news++;
    *news = apr_array_make(of->pool, 1, sizeof(iimg_generation_job_news_t));
    APR_ARRAY_PUSH(*news,
                   iimg_generation_job_news_t) = (iimg_generation_job_news_t){ "job", 5,
                                                                               world.job_ended };
    return NULL;
}

iimg_reference_cache_t *iimg_reference_cache_create(apr_pool_t *pool, apr_size_t most)
{
    (void)pool;
    world.caches++;
    tap_is_number(most, 16 * 1024 * 1024, "photos may take a quarter of the engine's memory");
    return (iimg_reference_cache_t *)&world;
}

void iimg_reference_cache_expire(iimg_reference_cache_t *cache, apr_time_t now)
{
    (void)cache;
    tap_is_number(now, poll_clock, "photos expire by the clock");
    world.expired++;
}

static void cancel(const char *job_id)
{
    (void)job_id;
    world.canceled++;
}

/* Both databases take part in each poll, after a pause of this many microseconds. */
static bool poll_after(apr_interval_time_t pause, bool busy, bool takes)
{
    iimg_poll_t poll = { busy, takes, reserve, release, run, cancel };

    poll_clock += pause;
    return iimg_poll_run(&poll);
}

static void reset(void)
{
    memset(&world, 0, sizeof(world));
    work_log_clear(context);
}

static void start(void)
{
    int threads = 0;

    reset();
    for (int i = 0; i < 3; i++) {
        configs[i].enabled = true;
        configs[i].engine_memory = 64;
        configs[i].engine_threads = i + 2;
        configs[i].services.generator_settings.spool_dir = i ? "/second" : "/first";
        servers[i].next = i < 2 ? &servers[i + 1] : NULL;
    }
    tap_ok(iimg_poll_start(context->pool, servers, &threads), "some server is on");
    tap_is_number(threads, 4, "threads: the most that a queue's server wants");
    tap_is(world.dir, "/first", "marks: in the first server's folder");
    tap_is_number(world.caches, 3, "photos: a memory for each server");
    tap_ok(strstr(world.owner, apr_psprintf(context->pool, "/%ld/", (long)getpid())) != NULL
               && strlen(strrchr(world.owner, '/')) == 9,
           "owner: node, process and eight characters");
    tap_is(configs[1].services.owner, world.owner, "owner: told to each server");
}

static void test_leases(void)
{
    reset();
    poll_after(0, true, false);
    tap_is_number(world.renewed, 2, "leases are renewed at first, in each database");
    tap_is_number(world.canceled, 2, "a busy process looks for canceled jobs");
    tap_is_number(world.lease, IIMG_GENERATION_LEASE, "leases have their length");
    poll_after(14999999, true, false);
    tap_is_number(world.renewed, 2, "leases are not renewed within 15 s");
    poll_after(1, true, false);
    tap_is_number(world.renewed, 4, "leases are renewed after 15 s");
    world.renew_error = iimg_error(context->pool, IIMG_UNAVAILABLE, "away");
    poll_after(15000000, true, true);
    tap_is_number(world.renewed, 6, "leases cannot be renewed");
    tap_is_number(world.taken, 0, "no jobs are taken while leases cannot be renewed");
    tap_ok(work_logged(context, "away") && work_logged(context, "away")->level == IIMG_LOG_INFO,
           "a poll that fails is an information in the log");
    world.renew_error = NULL;
    poll_after(0, true, false);
    tap_is_number(world.renewed, 8, "leases that could not be renewed are tried at once");
    reset();
    poll_after(60000000, false, false);
    tap_ok(!world.renewed && !world.canceled && !world.taken,
           "an idle process renews, cancels and takes nothing");
}

static void test_taking(void)
{
    static const struct {
        int room, jobs, at_once, most, run, forgone, locked;
        bool fails;
        const char *what;
    } cases[] = {
        { 3, 2, 0, 3, 2, 1, 0, false, "room for three, two jobs" },
        { 3, 3, 5, 3, 3, 0, 1, false, "room for three, three jobs, a limit" },
        { 3, 2, 5, 3, 0, 3, 1, true, "room for three, an error" },
        { 1, 1, 0, 1, 1, 0, 0, false, "room for one" },
        { 0, 1, 5, 0, 0, 0, 0, false, "no room" },
        { 500, 0, 0, 200, 0, 200, 0, false, "room for 500" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const iimg_poll_t poll = { false, true, reserve, release, run, cancel };
        iimg_error_t *err;
        site_t *site = &APR_ARRAY_IDX(process.sites, 0, site_t);

        reset();
        world.room = cases[i].room;
        world.jobs = cases[i].jobs;
        world.take_error = cases[i].fails ? iimg_error(context->pool, IIMG_UNAVAILABLE, "away")
                                          : NULL;
        services.generation_limits.at_once = cases[i].at_once;
        err = claim_and_run(iimg_context_create(context->pool, site->server, "x"), site, &poll);
        tap_ok((err != NULL) == cases[i].fails, "%s: error or not", cases[i].what);
        tap_is_number(world.most, cases[i].most, "%s: asked for", cases[i].what);
        tap_is_number(world.run, cases[i].run, "%s: run", cases[i].what);
        tap_is_number(world.forgone, cases[i].forgone, "%s: room given back", cases[i].what);
        tap_is_number(world.locked, cases[i].locked, "%s: counted under a lock", cases[i].what);
        tap_is_number(world.taken, cases[i].room > 0, "%s: the database is asked", cases[i].what);
    }
    tap_is_number(world.lease, IIMG_GENERATION_LEASE, "taken jobs have a lease");
    tap_ok(strchr(world.node, '/') == NULL && *world.node, "jobs are taken for a node by its name");
    services.generation_limits.at_once = 0;
}

static void test_news(void)
{
    reset();
    poll_after(0, false, false);
    tap_is_number(world.news, 0, "no requests wait: no database is asked");
    world.watched = 1;
    poll_after(0, false, false);
    tap_is_number(world.news, 2, "requests wait: each database is asked");
    tap_ok(world.told == 2 && world.told_version == 5, "news of a change has the version");
    world.job_ended = true;
    poll_after(0, false, false);
    tap_is_number(world.told_version, -1, "news of an end goes to all");
}

static void test_dead(void)
{
    poll_after(1000000, false, false);
    reset();
    tap_ok(!poll_after(999999, false, false) && !world.dead,
           "dead processes are not looked for within a second");
    world.alive = true;
    tap_ok(!poll_after(1, false, false) && world.dead == 1 && world.released == 2,
           "dead processes are looked for after a second, in each database");
    tap_is(world.owner, "node/9/dead", "the dead owner's jobs are released");
    tap_ok(world.buried == 1 && world.done, "a dead process without jobs is buried");
    tap_ok(!work_logged(context, "IIMG0105"), "a dead process without jobs: no warning");
    reset();
    world.alive = true;
    world.releases = 1;
    tap_ok(poll_after(1000000, false, false), "released jobs: another poll at once");
    tap_ok(work_logged(context, "generations released: 2") && work_logged(context, "IIMG0105"),
           "released jobs: a warning with their number");
    reset();
    world.alive = true;
    world.release_error = iimg_error(context->pool, IIMG_UNAVAILABLE, "away");
    poll_after(1000000, false, false);
    tap_ok(world.released == 2 && world.buried == 1 && !world.done,
           "a database that does not answer: the mark stays");
}

static void test_left(void)
{
    poll_after(20000000, false, false);
    reset();
    poll_after(19999999, false, false);
    tap_ok(!world.saved && !world.cleared, "what was left is not looked for within 20 s");
    poll_after(1, false, false);
    tap_ok(world.saved == 2 && world.cleared == 2,
           "what was left is looked for after 20 s, for each database");
    tap_is_number(world.expired, 6, "photos of three servers expire at each of two polls");
}

static void test_end(void)
{
    reset();
    iimg_poll_release();
    tap_ok(world.released == 2 && strcmp(world.owner, process.owner) == 0,
           "a process that ends releases its jobs in each database");
    tap_ok(!work_logged(context, "left to other"), "no jobs released: no line");
    world.releases = 2;
    iimg_poll_release();
    tap_ok(work_logged(context, "4 generations") != NULL,
           "released jobs: a line with their number");
    iimg_poll_end();
    tap_is_number(world.ended, 1, "a process that ends takes its mark away");
}

static void test_nothing_on(void)
{
    int threads = 0;

    reset();
    for (int i = 0; i < 3; i++) {
        configs[i].enabled = false;
    }
    tap_ok(!iimg_poll_start(context->pool, servers, &threads) && !world.caches,
           "no server is on: no queue");
    tap_is_number(threads, 1, "no server is on: one thread");
    poll_after(60000000, true, true);
    tap_ok(!world.dead && !world.saved && !world.taken, "no server is on: nothing is asked");
    iimg_poll_end();
    tap_is_number(world.ended, 0, "no server is on: no mark");
    configs[1].enabled = configs[2].enabled = true;
    tap_ok(iimg_poll_start(context->pool, servers, &threads) && strcmp(world.dir, "/second") == 0,
           "the second server is on: its folder");
    tap_is_number(process.sites->nelts, 2, "the second and third server are on: two databases");
}

int main(void)
{
    context = work_begin();
    start();
    test_leases();
    test_taking();
    test_news();
    test_dead();
    test_left();
    test_end();
    test_nothing_on();
    work_end(context);
    return tap_done();
}
