/* dbd.c - the configuration of mod_dbd: which servers share a pool of connections, and its size.
 *
 * mod_dbd exposes neither its configuration nor its pools: this file reads its directives. */
#include "server/database/dbd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <http_config.h>

/* mod_dbd's own, with threads (https://httpd.apache.org/docs/2.4/mod/mod_dbd.html) */
#define MIN_DEFAULT  1
#define KEEP_DEFAULT 2
#define MAX_DEFAULT  10

/* Its directives. Those with one value come first; of the last two each line counts. */
static const char *const names[] = { "DBDriver",   "DBDParams",  "DBDPersist",
                                     "DBDMin",     "DBDKeep",    "DBDMax",
                                     "DBDExptime", "DBDInitSQL", "DBDPrepareSQL" };

#define NAMES  (sizeof(names) / sizeof(names[0]))
#define SINGLE (NAMES - 2)

static void add_directive(apr_table_t *settings, const ap_directive_t *node)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (strcasecmp(node->directive, names[i]) == 0) {
            (i < SINGLE ? apr_table_setn : apr_table_mergen)(settings, names[i], node->args);
        }
    }
}

static bool is_host(const ap_directive_t *node)
{
    return strcasecmp(node->directive, "<VirtualHost") == 0;
}

static void collect(apr_table_t *settings, const ap_directive_t *node)
{
    for (; node; node = node->next) {
        if (!is_host(node)) {
            add_directive(settings, node);
            collect(settings, node->first_child);
        }
    }
}

/* The section of a virtual host; NULL for the main server. */
static const ap_directive_t *section_of(const ap_directive_t *node, const server_rec *server)
{
    const ap_directive_t *found = NULL;

    for (; node && !found; node = node->next) {
        found = is_host(node) && node->line_num == (int)server->defn_line_number
                        && server->defn_name && strcmp(node->filename, server->defn_name) == 0
                    ? node
                    : section_of(node->first_child, server);
    }
    return found;
}

static apr_table_t *settings_of(apr_pool_t *pool, const server_rec *server)
{
    apr_table_t *settings = apr_table_make(pool, NAMES);
    const ap_directive_t *section = server->is_virtual ? section_of(ap_conftree, server) : NULL;

    collect(settings, ap_conftree);
    collect(settings, section ? section->first_child : NULL);
    return settings;
}

const char *iimg_dbd_settings(apr_pool_t *pool, const server_rec *server)
{
    const apr_table_t *settings = settings_of(pool, server);
    const char *text = "";

    for (size_t i = 0; i < NAMES; i++) {
        const char *value = apr_table_get(settings, names[i]);

        text = apr_pstrcat(pool, text, names[i], " ", value ? value : "", "\n", NULL);
    }
    return text;
}

static int number_of(const apr_table_t *settings, const char *name, int preset)
{
    const char *value = apr_table_get(settings, name);

    return value ? atoi(value) : preset;
}

/* apr_reslist_create refuses such sizes: mod_dbd would log "Invalid argument" at each request. */
static const char *problem_of_sizes(apr_pool_t *pool, const apr_table_t *settings)
{
    int min = number_of(settings, "DBDMin", MIN_DEFAULT);
    int keep = number_of(settings, "DBDKeep", KEEP_DEFAULT);
    int max = number_of(settings, "DBDMax", MAX_DEFAULT);
    const char *persist = apr_table_get(settings, "DBDPersist");

    if (persist && strcasecmp(persist, "Off") == 0) {
        return NULL; /* there is no pool */
    }
    if (max < 1) {
        return apr_psprintf(pool, "DBDMax: %d is not at least 1", max);
    }
    if (keep > max) {
        return apr_psprintf(pool, "DBDMax: %d is less than DBDKeep, %d", max, keep);
    }
    return min > keep ? apr_psprintf(pool, "DBDKeep: %d is less than DBDMin, %d", keep, min) : NULL;
}

const char *iimg_dbd_problem(apr_pool_t *pool, const server_rec *server)
{
    const apr_table_t *settings = settings_of(pool, server);
    const char *args = apr_table_get(settings, "DBDriver");
    const char *driver = args ? ap_getword_conf(pool, &args) : NULL;

    if (!driver) {
        return "DBDriver: is missing: add DBDriver pgsql, and DBDParams";
    }
    return strcmp(driver, "pgsql") == 0
               ? problem_of_sizes(pool, settings)
               : apr_psprintf(pool, "DBDriver: \"%s\" is not pgsql", driver);
}

int iimg_dbd_max(apr_pool_t *pool, const server_rec *server)
{
    return number_of(settings_of(pool, server), "DBDMax", MAX_DEFAULT);
}
