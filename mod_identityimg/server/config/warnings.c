/* warnings.c - finds settings that httpd accepts, but that cannot work. */
#include "server/config/warnings.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <apr_strings.h>
#include <http_core.h>
#include "server/config/tree.h"
#include "server/config/config.h"
#include "server/config/gemini.h"
#include "server/config/unix_user.h"

/* The checks of one server. */
typedef struct audit_t {
    iimg_conf_t *conf;
    server_rec *server;
    server_rec *servers; /* all */
    const iimg_config_t *config;
    apr_array_header_t *found; /* iimg_config_warning_t */
} audit_t;

static void warn(audit_t *audit, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Virtual hosts inherit settings: each text is logged once. */
static void warn(audit_t *audit, const char *format, ...)
{
    va_list arguments;
    const char *text;

    va_start(arguments, format);
    text = apr_pvsprintf(audit->conf->pool, format, arguments);
    va_end(arguments);
    for (int i = 0; i < audit->found->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(audit->found, i, iimg_config_warning_t).text, text) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(audit->found, iimg_config_warning_t) = (iimg_config_warning_t){ audit->server,
                                                                                   text };
}

static const iimg_conf_location_t *get_location(const audit_t *audit, int i)
{
    return i < audit->conf->locations->nelts
               ? &APR_ARRAY_IDX(audit->conf->locations, i, iimg_conf_location_t)
               : NULL;
}

static const char *place(const audit_t *audit, const ap_directive_t *directive)
{
    return iimg_conf_place(audit->conf->pool, directive);
}

static bool is_api(const audit_t *audit, const iimg_conf_location_t *location)
{
    return location->use == IIMG_LOCATION_API
           && iimg_conf_innermost(audit->conf, location->path) == location;
}

/* Locations --------------------------------------------------------------------------------- */

/* Two sections for the same path, or one around the other. */
static void compare_uses(audit_t *audit, const iimg_conf_location_t *off,
                         const iimg_conf_location_t *on)
{
    if (strcmp(off->path, on->path) == 0 && off->own == on->own) {
        warn(audit,
             "IIMG0012: IdentityImg: is off at %s and on at %s, both for <Location \"%s\">; "
             "the later one counts: remove one",
             place(audit, off->section), place(audit, on->section), on->path);
    }
    else if (strcmp(off->path, on->path) != 0 && iimg_conf_covers(off->path, on->path)) {
        warn(audit,
             "IIMG0012: IdentityImg: off in <Location \"%s\"> at %s does not turn off "
             "<Location \"%s\">, which is on; set off in that Location if this is wanted",
             off->path[0] ? off->path : "/", place(audit, off->section), on->path);
    }
}

static void check_uses(audit_t *audit)
{
    const iimg_conf_location_t *off, *on;

    for (int i = 0; (off = get_location(audit, i)) != NULL; i++) {
        for (int k = 0; (on = get_location(audit, k)) != NULL; k++) {
            if (off->use == IIMG_LOCATION_OFF && on->use == IIMG_LOCATION_API) {
                compare_uses(audit, off, on);
            }
        }
    }
}

/* Paths that the shipped configuration opens to all clients. */
static const char *const granted[] = { "/auth/login", "/health", "/schema" };

/* The last part of a Location's path if it is one of those, below some other path.
 * @return NULL if it is none */
static const char *granted_part(const char *path)
{
    for (size_t i = 0; path && i < sizeof(granted) / sizeof(granted[0]); i++) {
        size_t n = strlen(path), part = strlen(granted[i]);

        if (n > part && strcmp(path + n - part, granted[i]) == 0) {
            return granted[i];
        }
    }
    return NULL;
}

/* A section that opens a path below an old path of the API. */
static void check_stale_grant(audit_t *audit, const iimg_conf_location_t *left)
{
    const char *part = granted_part(left->path);
    const iimg_conf_location_t *api = part ? iimg_conf_innermost(audit->conf, left->path) : NULL;

    if (!part || (api && api->use == IIMG_LOCATION_API)
        || !iimg_conf_holds(left->section, "Require", "all granted")) {
        return;
    }
    for (int i = 0; (api = get_location(audit, i)) != NULL; i++) {
        const char *wanted = apr_pstrcat(audit->conf->pool, api->path ? api->path : "", part, NULL);

        if (is_api(audit, api) && !iimg_conf_location_at(audit->conf, wanted)) {
            warn(audit,
                 "IIMG0013: IdentityImg: is on in <Location \"%s\">, but <Location \"%s\"> at "
                 "%s is not below it, so %s/ asks for credentials; rename that section to "
                 "<Location \"%s\">",
                 api->path, left->path, place(audit, left->section), wanted, wanted);
        }
    }
}

static bool has_patterns(const audit_t *audit)
{
    const iimg_conf_location_t *location;

    for (int i = 0; (location = get_location(audit, i)) != NULL; i++) {
        if (!location->path && iimg_conf_holds(location->section, "Require", NULL)) {
            return true;
        }
    }
    return false;
}

static bool is_granted_within(const audit_t *audit, const iimg_conf_location_t *api,
                              const char *path)
{
    const iimg_conf_location_t *location;

    for (int i = 0; (location = get_location(audit, i)) != NULL; i++) {
        if (location->path && strlen(location->path) > strlen(api->path)
            && iimg_conf_covers(location->path, path)) {
            return true;
        }
    }
    return false;
}

/* auth/login/ issues sessions and tokens. */
static void check_login(audit_t *audit, const iimg_conf_location_t *api)
{
    const char *path = apr_pstrcat(audit->conf->pool, api->path, "/auth/login", NULL);

    if (iimg_conf_holds(api->section, "AuthType", "IdentityImg")
        && iimg_conf_holds(api->section, "Require", NULL) && !has_patterns(audit)
        && !is_granted_within(audit, api, path)) {
        warn(audit,
             "IIMG0013: IdentityImg: is on in <Location \"%s\"> at %s, but logging in there "
             "asks for credentials; add <Location \"%s\"> with Require all granted",
             api->path, place(audit, api->section), path);
    }
}

static void check_moved(audit_t *audit)
{
    const iimg_conf_location_t *location;
    int before = audit->found->nelts;

    for (int i = 0; (location = get_location(audit, i)) != NULL; i++) {
        check_stale_grant(audit, location);
    }
    for (int i = 0; audit->found->nelts == before && (location = get_location(audit, i)) != NULL;
         i++) {
        if (location->path && is_api(audit, location)) {
            check_login(audit, location);
        }
    }
}

/* Errors that httpd makes: ErrorDocuments that lead to a Location with IdentityImg errors. */
static bool is_error_page(const audit_t *audit, const ap_directive_t *node)
{
    const iimg_conf_location_t *location;

    if (strcasecmp(node->directive, "ErrorDocument") != 0) {
        return false;
    }
    location = iimg_conf_innermost(audit->conf, iimg_conf_word(audit->conf->pool, node, 1));
    return location && location->use == IIMG_LOCATION_ERRORS;
}

static bool has_error_pages(const audit_t *audit)
{
    const apr_array_header_t *all = audit->conf->directives;
    const iimg_conf_location_t *location;

    for (int i = 0; i < all->nelts; i++) {
        if (is_error_page(audit, APR_ARRAY_IDX(all, i, const ap_directive_t *))) {
            return true;
        }
    }
    for (int i = 0; (location = get_location(audit, i)) != NULL; i++) {
        const ap_directive_t *node = location->section->first_child;

        for (; node; node = node->next) {
            if (is_error_page(audit, node)) {
                return true;
            }
        }
    }
    return false;
}

static void check_errors(audit_t *audit)
{
    if (!has_error_pages(audit)) {
        warn(audit,
             "IIMG0021: ErrorDocument: none leads to a <Location> with IdentityImg errors, so "
             "errors that httpd makes are HTML and not JSON; copy the end of the shipped "
             "identityimg.conf");
    }
}

/* Pictures ------------------------------------------------------------------------------------ */

/* Of the sections around a path, the last one with a Require decides. */
static const iimg_conf_location_t *guard_of(const audit_t *audit, const char *path)
{
    const iimg_conf_location_t *location, *found = NULL;

    for (int i = 0; (location = get_location(audit, i)) != NULL; i++) {
        if (location->path && iimg_conf_covers(location->path, path)
            && iimg_conf_holds(location->section, "Require", NULL)) {
            found = location;
        }
    }
    return found;
}

static bool wants_credentials(const iimg_conf_location_t *guard)
{
    return guard && !iimg_conf_holds(guard->section, "Require", "all granted")
           && (iimg_conf_holds(guard->section, "Require", "valid-user")
               || iimg_conf_holds(guard->section, "Require", "user")
               || iimg_conf_holds(guard->section, "Require", "group"));
}

static void check_media_path(audit_t *audit)
{
    const char *path = audit->config->media_path;
    const iimg_conf_location_t *around = iimg_conf_innermost(audit->conf, path);
    const iimg_conf_location_t *guard = guard_of(audit, path);

    if (!audit->config->services.storage.driver->path) {
        return; /* the store's own server sends pictures */
    }
    if (around && around->use != IIMG_LOCATION_OFF) {
        warn(audit,
             "IIMG0017: IdentityImgMediaPath: \"%s\" lies in <Location \"%s\"> with "
             "IdentityImg %s at %s, so no picture can be opened; choose another path, or set "
             "IdentityImg off in <Location \"%s\">",
             path, around->path[0] ? around->path : "/",
             around->use == IIMG_LOCATION_API ? "on" : "errors", place(audit, around->section),
             path);
    }
    else if (wants_credentials(guard)) {
        warn(audit,
             "IIMG0017: IdentityImgMediaPath: \"%s\" lies in <Location \"%s\"> at %s, which "
             "asks for credentials that a picture's address replaces; add <Location \"%s\"> with "
             "AuthType None and Require all granted",
             path, guard->path[0] ? guard->path : "/", place(audit, guard->section), path);
    }
}

/* mod_alias maps paths after this module. */
static void check_alias(audit_t *audit, const ap_directive_t *node)
{
    const char *path = iimg_conf_word(audit->conf->pool, node, 0);
    const iimg_conf_location_t *around = iimg_conf_innermost(audit->conf, path);
    bool is_media = audit->config->services.storage.driver->path
                    && iimg_conf_covers(audit->config->media_path, path);

    if (is_media || (around && around->use == IIMG_LOCATION_API)) {
        warn(audit,
             "IIMG0018: %s: \"%s\" at %s is never used, since %s takes this path; choose "
             "another path",
             node->directive, path, place(audit, node),
             is_media ? "IdentityImgMediaPath" : "IdentityImg on");
    }
}

static void check_aliases(audit_t *audit)
{
    const apr_array_header_t *all = audit->conf->directives;

    for (int i = 0; i < all->nelts; i++) {
        const ap_directive_t *node = APR_ARRAY_IDX(all, i, const ap_directive_t *);

        if (strcasecmp(node->directive, "Alias") == 0
            || strcasecmp(node->directive, "ScriptAlias") == 0) {
            check_alias(audit, node);
        }
    }
}

/* At configtest alone: a running server reports this in health/ready/ while it lasts. */
static void check_store(audit_t *audit)
{
    const char *root = audit->config->storage_root;
    int code;

    if (!audit->config->services.storage.driver->path
        || ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) {
        return;
    }
    code = iimg_unix_user_access(root, R_OK | W_OK | X_OK);
    if (code) {
        warn(audit,
             "IIMG0020: IdentityImgStorageRoot: httpd's user %s may not use \"%s\": %s; chown "
             "it to that user, and let it enter the folders above",
             iimg_unix_user_name(audit->conf->pool, iimg_unix_user()), root, strerror(code));
    }
}

/* Addresses --------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return text && strncasecmp(text, with, strlen(with)) == 0;
}

/* By mod_ssl, mod_tls or mod_gnutls; or a proxy in front, by the scheme of ServerName. */
static bool has_tls(apr_pool_t *pool, const server_rec *server)
{
    const iimg_conf_t *conf = iimg_conf_read(pool, server);
    const char *ssl = iimg_conf_value(conf, "SSLEngine");
    const char *gnutls = iimg_conf_value(conf, "GnuTLSEnable");

    return begins(server->server_scheme, "https") || iimg_conf_value(conf, "TLSEngine")
           || (ssl && strcasecmp(ssl, "off") != 0) || (gnutls && strcasecmp(gnutls, "off") != 0);
}

/* One server that ends TLS is enough: others with this address may only redirect to it. */
static bool has_tls_somewhere(const audit_t *audit)
{
    for (server_rec *server = audit->servers; server; server = server->next) {
        const iimg_config_t *config = iimg_config_of(server);

        if (config->enabled && config->base_url
            && strcasecmp(config->base_url, audit->config->base_url) == 0
            && has_tls(audit->conf->pool, server)) {
            return true;
        }
    }
    return false;
}

/* Browsers leave it out of the header Origin. */
static bool has_default_port(const char *origin)
{
    const char *port = strrchr(origin, ':');

    return (begins(origin, "https://") && strcmp(port, ":443") == 0)
           || (begins(origin, "http://") && strcmp(port, ":80") == 0);
}

static void check_base_url(audit_t *audit)
{
    const char *url = audit->config->base_url;

    if (!url) {
        return;
    }
    if (begins(url, "https://") && !has_tls_somewhere(audit)) {
        warn(audit,
             "IIMG0014: IdentityImgBaseURL: \"%s\" is https, but httpd serves plain http: browsers "
             "do not return the session's Secure cookie over plain http; set SSLEngine on, "
             "or, if a proxy in front of httpd ends TLS, ServerName %s",
             url, url);
    }
    if (begins(url, "http://") && has_tls(audit->conf->pool, audit->server)) {
        warn(audit,
             "IIMG0014: IdentityImgBaseURL: \"%s\" is plain http, but this server uses TLS: "
             "pictures' addresses are http, and the session's cookie is not Secure; begin the URL "
             "with https://",
             url);
    }
    if (has_default_port(url)) {
        warn(audit,
             "IIMG0019: IdentityImgBaseURL: \"%s\" names the default port, which browsers "
             "leave out, so writes of its own pages are refused as cross-site; leave it out",
             url);
    }
}

static void check_origins(audit_t *audit)
{
    const apr_array_header_t *origins = audit->config->cors_origins;

    for (int i = 0; origins && i < origins->nelts; i++) {
        const char *origin = APR_ARRAY_IDX(origins, i, const char *);

        if (has_default_port(origin)) {
            warn(audit,
                 "IIMG0019: IdentityImgCorsOrigin: \"%s\" names the default port, which "
                 "browsers leave out, so it matches no page; leave it out",
                 origin);
        }
        if (audit->config->base_url && strcasecmp(origin, audit->config->base_url) == 0) {
            warn(audit,
                 "IIMG0019: IdentityImgCorsOrigin: \"%s\" is this server itself "
                 "(IdentityImgBaseURL), whose pages need no permission; remove it",
                 origin);
        }
    }
}

/* identityimg-pages.conf defines it unless the operator did. */
static void check_pages(audit_t *audit)
{
    const char *folder, *page;
    int code;

    if (!ap_exists_config_define("IIMG_CLIENT")) {
        return;
    }
    folder = ap_resolve_env(audit->conf->pool, "${IIMG_CLIENT}");
    page = apr_pstrcat(audit->conf->pool, folder, "/index.html", NULL);
    code = iimg_unix_user_access(page, R_OK);
    if (code) {
        warn(audit,
             "IIMG0016: Define IIMG_CLIENT: httpd's user %s cannot read \"%s\": %s; install the "
             "pages (make install, with Node), or remove identityimg-pages.conf",
             iimg_unix_user_name(audit->conf->pool, iimg_unix_user()), page, strerror(code));
    }
}

static void check_generator(audit_t *audit)
{
    const apr_array_header_t *texts = iimg_config_gemini_warnings(audit->conf->pool, audit->config);

    for (int i = 0; i < texts->nelts; i++) {
        warn(audit, "%s", APR_ARRAY_IDX(texts, i, const char *));
    }
}

apr_array_header_t *iimg_config_warnings(apr_pool_t *pool, server_rec *servers)
{
    static void (*const checks[])(audit_t *) = {
        check_uses,  check_moved,    check_errors,  check_media_path, check_aliases,
        check_store, check_base_url, check_origins, check_pages,      check_generator,
    };
    apr_array_header_t *found = apr_array_make(pool, 4, sizeof(iimg_config_warning_t));

    for (server_rec *server = servers; server; server = server->next) {
        if (iimg_config_of(server)->enabled) {
            audit_t audit = { iimg_conf_read(pool, server), server, servers, iimg_config_of(server),
                              found };

            for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
                checks[i](&audit);
            }
        }
    }
    return found;
}
