/* poll.c - polls the databases for the engine: claims jobs, renews leases, reclaims those of dead
 * processes.
 *
 * Owns this process' name in the jobs' rows, its liveness marker, and the list of databases. The
 * engine calls iimg_poll_run in one thread of its pool at a time, and the other functions while no
 * poll runs. A poll must not hold a lock while it waits for a database: requests that wait for jobs
 * are notified through watch.c, which locks for itself. */
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
#include "server/http/request.h"
#include "server/jobs/liveness.h"
#include "server/jobs/spool_cleanup.h"
#include "server/jobs/watch.h"
#include "services/reference_cache.h"

#define RENEW_INTERVAL    apr_time_from_sec(15) /* well within IIMG_GENERATION_LEASE */
#define LIVENESS_INTERVAL apr_time_from_sec(1)
#define CLEANUP_INTERVAL  apr_time_from_sec(20)
#define MAX_CLAIMED       200 /* jobs in one poll */

/* One database. Servers that share it are represented by the first of them. */
typedef struct site_t {
    server_rec *server;
    const char *settings; /* of mod_dbd */
    apr_time_t renewed;
} site_t;

/* Set before the child starts threads; the times change in one thread at a time. */
static struct {
    const char *owner, *node;
    iimg_liveness_t *liveness;  /* NULL: other processes detect our death by expired leases only */
    apr_array_header_t *sites;  /* site_t */
    apr_array_header_t *caches; /* iimg_reference_cache_t *: of all servers */
    apr_time_t checked_liveness, cleaned_up;
} process;

/* Claim ---------------------------------------------------------------------------------------- */

typedef struct claim_t {
    iimg_generation_taker_t taker;
    apr_array_header_t *ids;
} claim_t;

static iimg_error_t *claim_jobs(iimg_context_t *context, void *baton)
{
    claim_t *claim = baton;

    if (claim->taker.at_once) {
        iimg_error_t *err = iimg_generation_load_lock(context);

        if (err) {
            return err;
        }
    }
    return iimg_generation_job_take(context, &claim->taker, &claim->ids);
}

/* Without a limit of concurrent jobs nothing is counted, and no lock is needed. */
static iimg_error_t *claim_within_limit(iimg_context_t *context, claim_t *claim)
{
    return claim->taker.at_once ? iimg_db_transaction(context, claim_jobs, claim)
                                : claim_jobs(context, claim);
}

static iimg_error_t *claim_and_run(iimg_context_t *context, const site_t *site,
                                   const iimg_poll_t *poll)
{
    claim_t claim = { .taker = { process.owner, process.node, IIMG_GENERATION_LEASE, 0,
                                 context->services->generation_limits.at_once } };
    int slots = 0, used = 0;
    iimg_error_t *err;

    while (slots < MAX_CLAIMED && poll->reserve(site->server)) {
        slots++;
    }
    if (!slots) {
        return NULL;
    }
    claim.taker.most = slots;
    err = claim_within_limit(context, &claim);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): set without error */
    for (; !err && used < claim.ids->nelts; used++) {
        poll->run(site->server, APR_ARRAY_IDX(claim.ids, used, const char *));
    }
    for (; used < slots; used++) {
        poll->release();
    }
    return err;
}

/* Renew, cancel, notify ------------------------------------------------------------------------ */

static iimg_error_t *renew_leases(iimg_context_t *context, site_t *site)
{
    iimg_error_t *err;

    if (apr_time_now() - site->renewed < RENEW_INTERVAL) {
        return NULL;
    }
    err = iimg_generation_job_renew(context, process.owner, IIMG_GENERATION_LEASE);
    if (err) {
        return err;
    }
    site->renewed = apr_time_now();
    return NULL;
}

static iimg_error_t *find_canceled(iimg_context_t *context, const iimg_poll_t *poll)
{
    apr_array_header_t *ids;
    iimg_error_t *err = iimg_generation_job_to_cancel(context, process.owner, &ids);

    if (err) {
        return err;
    }
    for (int i = 0; i < ids->nelts; i++) {
        poll->cancel(APR_ARRAY_IDX(ids, i, const char *));
    }
    return NULL;
}

/* The watched jobs may run in other processes. */
static iimg_error_t *notify_watches(iimg_context_t *context, const site_t *site)
{
    apr_array_header_t *ids = iimg_watch_jobs(context->pool, site->settings), *states;
    iimg_error_t *err;

    if (!ids->nelts) {
        return NULL;
    }
    err = iimg_generation_job_news(context, ids, &states);
    if (err) {
        return err;
    }
    for (int i = 0; i < states->nelts; i++) {
        const iimg_generation_job_news_t *job = &APR_ARRAY_IDX(states, i,
                                                               iimg_generation_job_news_t);

        iimg_watch_notify(job->id, job->ended ? -1 : job->version, IIMG_WATCH_CHANGED);
    }
    return NULL;
}

/* Reclaim -------------------------------------------------------------------------------------- */

static iimg_context_t *context_of(apr_pool_t *pool, const site_t *site)
{
    return iimg_context_create(pool, site->server, "engine");
}

static site_t *site_at(int i)
{
    return &APR_ARRAY_IDX(process.sites, i, site_t);
}

/* @return false: a database did not answer, release them again later */
static bool release_jobs(apr_pool_t *pool, const char *owner, int *count)
{
    bool released = true;

    for (int i = 0; i < process.sites->nelts; i++) {
        int released_here = 0;

        if (iimg_generation_job_release(context_of(pool, site_at(i)), owner, &released_here)) {
            released = false;
        }
        *count += released_here;
    }
    return released;
}

/* Jobs of a process that died on this node need not wait until their leases expire.
 * @return whether there were any */
static bool release_jobs_of_dead(apr_pool_t *pool)
{
    apr_array_header_t *dead;
    int count = 0;

    if (!process.liveness || apr_time_now() - process.checked_liveness < LIVENESS_INTERVAL) {
        return false;
    }
    process.checked_liveness = apr_time_now();
    iimg_liveness_find_dead(pool, process.liveness, &dead);
    for (int i = 0; i < dead->nelts; i++) {
        const iimg_liveness_dead_t *found = &APR_ARRAY_IDX(dead, i, iimg_liveness_dead_t);

        iimg_liveness_close_dead(found, release_jobs(pool, found->owner, &count));
    }
    if (count) {
        iimg_log(context_of(pool, site_at(0)), IIMG_LOG_WARNING,
                 "IIMG0105: a child process of httpd died: generations released: %d; look "
                 "for the cause in httpd's error log and for core dumps",
                 count);
    }
    return count > 0;
}

static void clean_up(apr_pool_t *pool)
{
    apr_array_header_t *servers = apr_array_make(pool, 2, sizeof(server_rec *));

    if (!process.liveness || apr_time_now() - process.cleaned_up < CLEANUP_INTERVAL) {
        return;
    }
    process.cleaned_up = apr_time_now();
    for (int i = 0; i < process.sites->nelts; i++) {
        APR_ARRAY_PUSH(servers, server_rec *) = site_at(i)->server;
        iimg_save_unsaved_jobs(context_of(pool, site_at(i)));
    }
    iimg_spool_cleanup(pool, process.liveness->dir, servers);
}

/* Poll ----------------------------------------------------------------------------------------- */

static iimg_error_t *poll_site(iimg_context_t *context, site_t *site, const iimg_poll_t *poll)
{
    iimg_error_t *err = poll->has_jobs ? renew_leases(context, site) : NULL;

    if (err) {
        return err;
    }
    err = poll->claims_jobs ? claim_and_run(context, site, poll) : NULL;
    if (err) {
        return err;
    }
    err = poll->has_jobs ? find_canceled(context, poll) : NULL;
    if (err) {
        return err;
    }
    return notify_watches(context, site);
}

static void expire_references(void)
{
    for (int i = 0; i < process.caches->nelts; i++) {
        iimg_reference_cache_expire(APR_ARRAY_IDX(process.caches, i, iimg_reference_cache_t *),
                                    apr_time_now());
    }
}

bool iimg_poll_run(const iimg_poll_t *poll)
{
    apr_pool_t *pool;
    bool again;

    apr_pool_create(&pool, NULL);
    apr_pool_tag(pool, "poll");
    again = release_jobs_of_dead(pool);
    expire_references();
    for (int i = 0; i < process.sites->nelts; i++) {
        iimg_context_t *context = context_of(pool, site_at(i));
        iimg_error_t *err = poll_site(context, site_at(i), poll);

        if (err) {
            iimg_log(context, IIMG_LOG_INFO, "cannot poll the queue of generations: %s",
                     err->detail ? err->detail : err->message);
        }
    }
    clean_up(pool);
    apr_pool_destroy(pool);
    return again;
}

/* Start and end -------------------------------------------------------------------------------- */

static bool has_site(const char *settings)
{
    for (int i = 0; i < process.sites->nelts; i++) {
        if (strcmp(site_at(i)->settings, settings) == 0) {
            return true;
        }
    }
    return false;
}

static void add_server(apr_pool_t *pool, server_rec *server)
{
    iimg_config_t *config = iimg_config_of(server);
    const char *settings = iimg_dbd_settings(pool, server);
    apr_size_t cache_size = (apr_size_t)config->engine_memory * 1024 * 1024 / 4;

    config->services.references = iimg_reference_cache_create(pool, cache_size);
    if (config->services.references) {
        APR_ARRAY_PUSH(process.caches, iimg_reference_cache_t *) = config->services.references;
    }
    if (!has_site(settings)) {
        APR_ARRAY_PUSH(process.sites, site_t) = (site_t){ server, settings, 0 };
    }
}

/* @return the folder of the liveness markers; NULL: the module is not enabled in any server */
static const char *add_servers(apr_pool_t *pool, server_rec *servers)
{
    const char *dir = NULL;

    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);

        config->services.owner = process.owner;
        if (config->enabled) {
            dir = dir ? dir : config->services.generator_settings.spool_dir;
            add_server(pool, server);
        }
    }
    return dir;
}

/* @param name distinguishes this process from an earlier one with the same PID */
static void set_owner(apr_pool_t *pool, const char *name)
{
    char host[256] = "localhost";

    gethostname(host, sizeof(host) - 1);
    process.node = apr_pstrdup(pool, host);
    process.owner = apr_psprintf(pool, "%s/%ld/%s", host, (long)getpid(), name);
}

bool iimg_poll_start(apr_pool_t *pchild, server_rec *main_server, int *threads)
{
    const char *name = apr_pstrmemdup(pchild, iimg_uuid_create(pchild), 8), *dir;

    set_owner(pchild, name);
    process.sites = apr_array_make(pchild, 2, sizeof(site_t));
    process.caches = apr_array_make(pchild, 2, sizeof(iimg_reference_cache_t *));
    dir = add_servers(pchild, main_server);
    process.liveness = dir ? iimg_liveness_register(pchild, dir, process.owner, name) : NULL;
    *threads = 1;
    for (int i = 0; i < process.sites->nelts; i++) {
        int wanted = iimg_config_of(site_at(i)->server)->engine_threads;

        *threads = wanted > *threads ? wanted : *threads;
    }
    return dir != NULL;
}

void iimg_poll_release(void)
{
    apr_pool_t *pool;
    int count = 0;

    apr_pool_create(&pool, NULL);
    (void)release_jobs(pool, process.owner, &count);
    if (count) {
        iimg_log(context_of(pool, site_at(0)), IIMG_LOG_INFO,
                 "%d generations are released to other processes", count);
    }
    apr_pool_destroy(pool);
}

void iimg_poll_end(void)
{
    if (process.liveness) {
        iimg_liveness_unregister(process.liveness);
    }
}
