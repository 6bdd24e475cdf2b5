/* poll.c - what the engine asks the databases from time to time. */
#include "server/jobs/poll.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/uuid.h"
#include "functions/admin/admin.h"
#include "models/generation_load.h"
#include "server/config/config.h"
#include "server/database/dbd.h"
#include "server/jobs/engine.h"
#include "server/jobs/liveness.h"
#include "server/jobs/spool_cleanup.h"
#include "server/jobs/watch.h"
#include "server/http/request.h"
#include "services/reference_cache.h"

#define RENEW         apr_time_from_sec(15) /* well within IIMG_GENERATION_LEASE */
#define LOOK_FOR_DEAD apr_time_from_sec(1)
#define LOOK_FOR_LEFT apr_time_from_sec(20) /* what others left that died */
#define MOST_TAKEN    200                   /* jobs in one go */

/* One database: the first server of those that share it looks after its queue. */
typedef struct site_t {
    server_rec *server;
    const char *settings;
    apr_time_t renewed;
} site_t;

/* This process; set before its threads start, the times by one thread at a time. */
static struct {
    const char *owner, *node;
    iimg_alive_t *alive;        /* NULL: nobody learns of our death but by our leases */
    apr_array_header_t *sites;  /* site_t */
    apr_array_header_t *caches; /* iimg_reference_cache_t *: of all servers */
    apr_time_t looked_for_dead, looked_for_left;
} own;

typedef struct take_t {
    iimg_generation_taker_t taker;
    apr_array_header_t *ids;
} take_t;

static iimg_error_t *take_jobs(iimg_context_t *context, void *baton)
{
    take_t *take = baton;
    iimg_error_t *err = take->taker.at_once ? iimg_generation_load_lock(context) : NULL;

    return err ? err : iimg_generation_job_take(context, &take->taker, &take->ids);
}

/* As many as there is room for; the room is reserved then. */
static int reserve_some(const server_rec *server)
{
    int room = 0;

    while (room < MOST_TAKEN && iimg_engine_reserve(server)) {
        room++;
    }
    return room;
}

static iimg_error_t *take_some(iimg_context_t *context, site_t *site)
{
    int room = reserve_some(site->server), taken = 0;
    take_t take = { .taker = { own.owner, own.node, IIMG_GENERATION_LEASE, room,
                               context->services->generation_limits.at_once } };
    iimg_error_t *err = NULL;

    if (room) { /* without a limit there is nothing to be counted under a lock */
        err = take.taker.at_once ? iimg_db_transaction(context, take_jobs, &take)
                                 : take_jobs(context, &take);
    }
    for (; room && !err && taken < take.ids->nelts; taken++) {
        iimg_engine_run(site->server, APR_ARRAY_IDX(take.ids, taken, const char *));
    }
    for (; taken < room; taken++) {
        iimg_engine_forgo();
    }
    return err;
}

static iimg_error_t *renew(iimg_context_t *context, site_t *site)
{
    iimg_error_t *err;

    if (apr_time_now() - site->renewed < RENEW) {
        return NULL;
    }
    err = iimg_generation_job_renew(context, own.owner, IIMG_GENERATION_LEASE);
    site->renewed = err ? site->renewed : apr_time_now();
    return err;
}

static iimg_error_t *look_for_canceled(iimg_context_t *context, const iimg_look_t *look)
{
    apr_array_header_t *ids;
    iimg_error_t *err = iimg_generation_job_to_cancel(context, own.owner, &ids);

    if (err) {
        return err;
    }
    for (int i = 0; i < ids->nelts; i++) {
        look->canceled(APR_ARRAY_IDX(ids, i, const char *));
    }
    return NULL;
}

/* Of jobs that others may run. */
static iimg_error_t *look_for_news(iimg_context_t *context, const site_t *site)
{
    apr_array_header_t *ids = iimg_watches_jobs(context->pool, site->settings), *news;
    iimg_error_t *err = ids->nelts ? iimg_generation_job_news(context, ids, &news) : NULL;

    for (int i = 0; ids->nelts && !err && i < news->nelts; i++) {
        const iimg_generation_job_news_t *one = &APR_ARRAY_IDX(news, i, iimg_generation_job_news_t);

        iimg_watches_tell(one->id, one->ended ? -1 : one->version, IIMG_NEWS_CHANGED);
    }
    return err;
}

/* @return false: some database does not answer, and it has to be tried again */
static bool release_jobs(apr_pool_t *pool, const char *owner, int *count)
{
    bool done = true;

    for (int i = 0; i < own.sites->nelts; i++) {
        server_rec *server = APR_ARRAY_IDX(own.sites, i, site_t).server;
        int some = 0;

        done = !iimg_generation_job_release(iimg_context_create(pool, server, "engine"), owner,
                                            &some)
               && done;
        *count += some;
    }
    return done;
}

/* Jobs of processes that have died here need not wait until their leases end. @return whether there
 * are some */
static bool release_dead(apr_pool_t *pool)
{
    apr_array_header_t *dead;
    int count = 0;

    if (!own.alive || apr_time_now() - own.looked_for_dead < LOOK_FOR_DEAD) {
        return false;
    }
    own.looked_for_dead = apr_time_now();
    iimg_alive_find_dead(pool, own.alive, &dead);
    for (int i = 0; i < dead->nelts; i++) {
        const iimg_alive_dead_t *one = &APR_ARRAY_IDX(dead, i, iimg_alive_dead_t);

        iimg_alive_bury(one, release_jobs(pool, one->owner, &count));
    }
    if (count) {
        iimg_log(iimg_context_create(pool, APR_ARRAY_IDX(own.sites, 0, site_t).server, "engine"),
                 IIMG_LOG_WARNING,
                 "IIMG0105: %d generations of a process that died are run by "
                 "others",
                 count);
    }
    return count > 0;
}

static void look_for_left(apr_pool_t *pool)
{
    apr_array_header_t *servers = apr_array_make(pool, 2, sizeof(server_rec *));

    if (!own.alive || apr_time_now() - own.looked_for_left < LOOK_FOR_LEFT) {
        return;
    }
    own.looked_for_left = apr_time_now();
    for (int i = 0; i < own.sites->nelts; i++) {
        server_rec *server = APR_ARRAY_IDX(own.sites, i, site_t).server;

        APR_ARRAY_PUSH(servers, server_rec *) = server;
        iimg_save_left(iimg_context_create(pool, server, "engine"));
    }
    iimg_engine_clear_spool(pool, own.alive->dir, servers);
}

static void look_at(apr_pool_t *pool, site_t *site, const iimg_look_t *look)
{
    iimg_context_t *context = iimg_context_create(pool, site->server, "engine");
    iimg_error_t *err = look->busy ? renew(context, site) : NULL;

    if (!err && look->takes) {
        err = take_some(context, site);
    }
    if (!err && look->busy) {
        err = look_for_canceled(context, look);
    }
    if (!err) {
        err = look_for_news(context, site);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_INFO, "the queue of generations cannot be looked at: %s",
                 err->detail ? err->detail : err->message);
    }
}

static void forget_photos(void)
{
    for (int i = 0; i < own.caches->nelts; i++) {
        iimg_reference_cache_expire(APR_ARRAY_IDX(own.caches, i, iimg_reference_cache_t *),
                                    apr_time_now());
    }
}

bool iimg_look_now(const iimg_look_t *look)
{
    apr_pool_t *pool;
    bool again;

    apr_pool_create(&pool, NULL);
    apr_pool_tag(pool, "look");
    again = release_dead(pool);
    forget_photos();
    for (int i = 0; i < own.sites->nelts; i++) {
        look_at(pool, &APR_ARRAY_IDX(own.sites, i, site_t), look);
    }
    look_for_left(pool);
    apr_pool_destroy(pool);
    return again;
}

/* Beginning and end
 * -------------------------------------------------------------------------------- */

static site_t *site_of(const char *settings)
{
    for (int i = 0; i < own.sites->nelts; i++) {
        site_t *site = &APR_ARRAY_IDX(own.sites, i, site_t);

        if (strcmp(site->settings, settings) == 0) {
            return site;
        }
    }
    return NULL;
}

/* @return the folder of the marks; NULL: no server is on */
static const char *know_servers(apr_pool_t *pool, server_rec *servers)
{
    const char *dir = NULL;

    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);
        const char *settings = iimg_dbd_settings(pool, server);

        config->services.owner = own.owner;
        if (!config->enabled) {
            continue;
        }
        dir = dir ? dir : config->services.generator_settings.spool_dir;
        config->services.references = iimg_reference_cache_create(
            pool, (apr_size_t)config->engine_memory * 1024 * 1024 / 4);
        if (config->services.references) {
            APR_ARRAY_PUSH(own.caches, iimg_reference_cache_t *) = config->services.references;
        }
        if (!site_of(settings)) {
            APR_ARRAY_PUSH(own.sites, site_t) = (site_t){ server, settings, 0 };
        }
    }
    return dir;
}

static void name_process(apr_pool_t *pool, const char *name)
{
    char host[256] = "localhost";

    gethostname(host, sizeof(host) - 1);
    own.node = apr_pstrdup(pool, host);
    own.owner = apr_psprintf(pool, "%s/%ld/%s", host, (long)getpid(), name);
}

bool iimg_look_start(apr_pool_t *pchild, server_rec *main_server, int *threads)
{
    /* The name tells this process from an earlier one with the same number. */
    const char *name = apr_pstrmemdup(pchild, iimg_uuid_create(pchild), 8), *dir;

    name_process(pchild, name);
    own.sites = apr_array_make(pchild, 2, sizeof(site_t));
    own.caches = apr_array_make(pchild, 2, sizeof(iimg_reference_cache_t *));
    dir = know_servers(pchild, main_server);
    own.alive = dir ? iimg_alive_begin(pchild, dir, own.owner, name) : NULL;
    *threads = 1;
    for (int i = 0; i < own.sites->nelts; i++) {
        int wanted = iimg_config_of(APR_ARRAY_IDX(own.sites, i, site_t).server)->engine_threads;

        *threads = wanted > *threads ? wanted : *threads;
    }
    return dir != NULL;
}

void iimg_look_release(void)
{
    apr_pool_t *pool;
    int count = 0;

    apr_pool_create(&pool, NULL);
    (void)release_jobs(pool, own.owner, &count);
    if (count) {
        iimg_log(iimg_context_create(pool, APR_ARRAY_IDX(own.sites, 0, site_t).server, "engine"),
                 IIMG_LOG_INFO, "%d generations are left to other processes", count);
    }
    apr_pool_destroy(pool);
}

void iimg_look_end(void)
{
    if (own.alive) {
        iimg_alive_end(own.alive);
    }
}
