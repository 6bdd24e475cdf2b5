/* mod_identityimg.c - the module record, hooks and their order, start-up in numbered steps. */
#include <signal.h>
#include <string.h>
#include <ap_mpm.h>
#include <httpd.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_watchdog.h>
#include <mpm_common.h>

#include "base/http/http.h"
#include "base/log.h"
#include "base/memo.h"
#include "base/input/multipart.h"
#include "base/version.h"
#include "functions/shared/store_identity.h"
#include "routes.h"
#include "server/authn/authn.h"
#include "server/authn/basic.h"
#include "server/authn/token.h"
#include "server/http/body.h"
#include "server/config/commands.h"
#include "server/config/config.h"
#include "server/config/finish.h"
#include "server/config/settings.h"
#include "server/config/spool.h"
#include "server/config/warnings.h"
#include "server/database/database.h"
#include "server/database/dbd.h"
#include "server/jobs/engine.h"
#include "server/http/errors.h"
#include "server/health.h"
#include "server/housekeeping.h"
#include "server/http/media.h"
#include "server/http/origin.h"
#include "server/jobs/park.h"
#include "server/picture_worker.h"

static void register_hooks(apr_pool_t *pool);

AP_DECLARE_MODULE(identityimg) = { STANDARD20_MODULE_STUFF, iimg_location_create,
                                   iimg_location_merge,     iimg_config_create,
                                   iimg_config_merge,       iimg_config_commands,
                                   register_hooks,          AP_MODULE_FLAG_NONE };

/* Start --------------------------------------------------------------------------------------- */

static int log_problem(server_rec *server, const char *problem)
{
    if (server->is_virtual && server->defn_name) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server,
                     "IIMG0010: %s (in the <VirtualHost> at "
                     "%s:%u)",
                     problem, server->defn_name, server->defn_line_number);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "IIMG0010: %s", problem);
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

static void log_warnings(apr_pool_t *pool, server_rec *servers)
{
    apr_array_header_t *found = iimg_config_warnings(pool, servers);

    for (int i = 0; i < found->nelts; i++) {
        const iimg_config_warning_t *warning = &APR_ARRAY_IDX(found, i, iimg_config_warning_t);

        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, warning->server, "%s", warning->text);
    }
}

static bool is_enabled(server_rec *servers)
{
    for (server_rec *server = servers; server; server = server->next) {
        if (iimg_config_of(server)->enabled) {
            return true;
        }
    }
    return false;
}

/* @return NULL, or the module that is missing or misconfigured */
static const char *check_modules(apr_pool_t *ptemp, server_rec *servers)
{
    const char *problem = is_enabled(servers) ? iimg_database_check() : NULL;

    if (problem) {
        return problem;
    }
    for (server_rec *server = servers; server; server = server->next) {
        problem = iimg_config_of(server)->enabled ? iimg_dbd_problem(ptemp, server) : NULL;
        if (problem) {
            return problem;
        }
    }
    return APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance)
               ? NULL
               : "mod_watchdog is not loaded: add LoadModule watchdog_module";
}

/* All checks of the configuration; `apachectl configtest` runs them, too. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *servers)
{
    const char *problem;

    (void)plog;
    /* 1. each server: defaults, secrets, services */
    for (server_rec *server = servers; server; server = server->next) {
        problem = iimg_config_finish(pconf, ptemp, iimg_config_of(server));
        if (problem) {
            return log_problem(server, problem);
        }
    }
    /* 2. required modules */
    problem = check_modules(ptemp, servers);
    if (problem) {
        return log_problem(servers, problem);
    }
    /* 3. warnings; at start, post_config logs them, once its log is open */
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        log_warnings(ptemp, servers);
    }
    return OK;
}

/* Virtual hosts may share a database: it is cleaned up once. */
static bool is_first_of_its_database(apr_pool_t *pool, server_rec *servers,
                                     const server_rec *server)
{
    const char *settings = iimg_dbd_settings(pool, server);

    for (server_rec *other = servers; other != server; other = other->next) {
        if (iimg_config_of(other)->enabled
            && strcmp(iimg_dbd_settings(pool, other), settings) == 0) {
            return false;
        }
    }
    return true;
}

/* Housekeeping: in one child at a time, in mod_watchdog's thread. */
static apr_status_t housekeep(int state, void *servers, apr_pool_t *pool)
{
    if (state == AP_WATCHDOG_STATE_STARTING) { /* mark a new store before it can be unmounted */
        for (server_rec *server = servers; server; server = server->next) {
            if (iimg_config_of(server)->enabled) {
                iimg_housekeep_store(iimg_context_create(pool, server, "start"));
            }
        }
    }
    if (state == AP_WATCHDOG_STATE_RUNNING) {
        for (server_rec *server = servers; server; server = server->next) {
            if (iimg_config_of(server)->enabled
                && is_first_of_its_database(pool, servers, server)) {
                iimg_housekeep(iimg_context_create(pool, server, "housekeeping"));
            }
        }
    }
    return APR_SUCCESS;
}

static apr_status_t register_watchdog(apr_pool_t *pconf, server_rec *servers)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance = APR_RETRIEVE_OPTIONAL_FN(
        ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback)
    *register_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    apr_status_t rv = get_instance(&watchdog, "identityimg", 0, 1, pconf);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return register_callback(watchdog, apr_time_from_sec(iimg_config_of(servers)->sweep_interval),
                             servers, housekeep);
}

/* Tests credentials and bucket. A store that is down must not prevent a start, and no store must
 * end a running server at a reload.
 * @return NULL, or why the server cannot start */
static const char *probe_store(apr_pool_t *ptemp, server_rec *server)
{
    iimg_storage_t *storage = &iimg_config_of(server)->services.storage;
    iimg_context_t *context = iimg_context_create(ptemp, server, "start");
    iimg_error_t *err = storage->driver->probe(context, storage);

    if (!err) {
        return NULL;
    }
    if (err->kind == IIMG_REFUSED && ap_state_query(AP_SQ_CONFIG_GEN) <= 1) {
        return apr_psprintf(ptemp, "IdentityImgStorage: %s", err->detail);
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "IIMG0203: cannot use the picture store: %s; uploads get 503 until it works",
                 err->detail ? err->detail : err->message);
    return NULL;
}

static const char *probe_stores(apr_pool_t *ptemp, server_rec *servers)
{
    const char *problem = NULL;

    for (server_rec *server = servers; server && !problem; server = server->next) {
        const iimg_config_t *config = iimg_config_of(server);
        const iimg_storage_t *storage = &config->services.storage;

        if (config->enabled && storage->driver->probe) {
            problem = probe_store(ptemp, server);
        }
    }
    return problem;
}

static const char *start_spools(apr_pool_t *pconf, server_rec *servers)
{
    const char *problem = NULL;

    for (server_rec *server = servers; server && !problem; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);

        if (config->enabled) {
            problem = iimg_config_spool_start(pconf, config);
        }
    }
    return problem;
}

static const char *start_store(apr_pool_t *pchild, iimg_storage_t *storage)
{
    const char *problem = storage->driver->start ? storage->driver->start(pchild, storage) : NULL;

    if (problem) {
        return problem;
    }
    storage->guard = iimg_store_guard_create(pchild);
    return storage->guard ? NULL : "cannot create a mutex for the picture store";
}

static const char *start_stores(apr_pool_t *pchild, server_rec *servers)
{
    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);
        const char *problem = config->enabled ? start_store(pchild, &config->services.storage)
                                              : NULL;

        if (problem) {
            return problem;
        }
    }
    return NULL;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *servers)
{
    const char *problem;
    apr_status_t rv;

    (void)plog;
    /* httpd reads its configuration twice at start: the first time only checks it. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !is_enabled(servers)) {
        return OK;
    }
    /* 1. the watchdog */
    rv = register_watchdog(pconf, servers);
    if (rv != APR_SUCCESS) {
        return log_problem(
            servers, apr_psprintf(ptemp, "cannot get a watchdog from mod_watchdog: %pm", &rv));
    }
    /* 2. the picture store, if it has a probe; children initialize libcurl again */
    if (!iimg_http_start()) {
        return log_problem(servers, "cannot initialize libcurl");
    }
    problem = probe_stores(ptemp, servers);
    iimg_http_stop();
    if (problem) {
        return log_problem(servers, problem);
    }
    /* 3. the folder of the provider's replies and of liveness markers */
    problem = start_spools(pconf, servers);
    if (problem) {
        return log_problem(servers, problem);
    }
    /* 4. the process that decodes pictures */
    problem = iimg_picture_worker_begin(pconf, servers);
    if (problem) {
        return log_problem(servers, problem);
    }
    /* 5. parking of connections */
    iimg_park_configure(ptemp, servers);
    /* 6. warnings, and a line about the configuration */
    log_warnings(ptemp, servers);
    ap_add_version_component(pconf, "mod_identityimg/" IIMG_VERSION);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, servers,
                 "mod_identityimg/" IIMG_VERSION " configured, generator %s, storage %s",
                 iimg_config_of(servers)->generator ? iimg_config_of(servers)->generator : "-",
                 iimg_config_of(servers)->storage);
    return OK;
}

#define CACHED_URLS 512 /* pictures of a child: 0.7 KB each, with S3 2.5 KB */

static void create_url_caches(apr_pool_t *pchild, server_rec *servers)
{
    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);

        if (config->enabled) {
            config->services.urls = iimg_memo_create(pchild, CACHED_URLS);
        }
    }
}

/* @return NULL, or why this child cannot work */
static const char *start_child(apr_pool_t *pchild, server_rec *servers)
{
    const char *problem;

    iimg_picture_worker_share();
    iimg_multipart_start();
    create_url_caches(pchild, servers);
    if (iimg_database_start(pchild, servers) != APR_SUCCESS
        || iimg_authn_start(pchild) != APR_SUCCESS
        || iimg_health_start(pchild, servers) != APR_SUCCESS) {
        return "cannot create the mutexes of this child";
    }
    if (!iimg_http_start()) {
        return "cannot initialize libcurl";
    }
    problem = start_stores(pchild, servers);
    if (problem) {
        return problem;
    }
    iimg_housekeeping_start(pchild);
    return iimg_engine_start(pchild, servers);
}

static void child_init(apr_pool_t *pchild, server_rec *servers)
{
    const char *problem = is_enabled(servers) ? start_child(pchild, servers) : NULL;

    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, servers, "IIMG0011: %s", problem);
        exit(APEXIT_CHILDSICK);
    }
}

/* prefork does not report a graceful stop. Otherwise its handler of SIGTERM or SIGHUP calls
 * child_stopping, and that signal is blocked. */
static bool prefork_is_graceful(void)
{
    sigset_t blocked;
    int threaded = 1;

    if (ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) != APR_SUCCESS || threaded
        || pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0) {
        return false;
    }
    return !sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGHUP);
}

static void child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    iimg_engine_stop(graceful || prefork_is_graceful());
}

/* The file name of requests without a file; compared by address. */
static char no_file[] = "identityimg:api";

/* Requests ------------------------------------------------------------------------------------ */

static bool is_ours(const request_rec *r)
{
    return iimg_location_of(r)->use >= IIMG_LOCATION_API;
}

static bool is_api(const request_rec *r)
{
    return iimg_location_of(r)->use == IIMG_LOCATION_API;
}

/* Merges slashes even if MergeSlashes is off, before authorization: each path has one form. */
static int translate_name(request_rec *r)
{
    if (is_ours(r)) {
        ap_no2slash(r->uri);
        iimg_origin_share(r);
        iimg_body_expect(r);
        r->filename = no_file;
        return OK;
    }
    return iimg_media_translate(r);
}

/* No file: no directory walk, no stat. httpd has reset the Location's configuration here, so that
 * only the file name identifies our requests. */
static int map_to_storage(request_rec *r)
{
    return r->filename == no_file ? OK : iimg_media_map(r);
}

static int type_checker(request_rec *r)
{
    if (!is_ours(r)) {
        return iimg_media_type(r);
    }
    r->handler = IIMG_HANDLER;
    return OK;
}

static int handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, IIMG_HANDLER) != 0) {
        return iimg_media_handle(r);
    }
    return is_api(r) ? iimg_route(r) : iimg_errors_handle(r);
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_watchdog[] = { "mod_watchdog.c", NULL };
    static const char *const after_dbd[] = { "mod_dbd.c", NULL };

    iimg_authn_register_basic(pool);
    ap_hook_check_authn(iimg_authn_check_token, NULL, NULL, APR_HOOK_MIDDLE,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, after_dbd, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_process_connection(iimg_park_process, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(iimg_park_suspend, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_resume_connection(iimg_park_resume, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_type_checker(type_checker, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(iimg_media_headers, NULL, NULL, APR_HOOK_LAST);
    ap_hook_fixups(iimg_authn_fixup, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}
