/* tree.c - the sections and directives of the conf files that apply to one server. */
#include "server/config/tree.h"

#include <string.h>
#include <strings.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <util_cfgtree.h>

const char *iimg_conf_place(apr_pool_t *pool, const ap_directive_t *directive)
{
    return apr_psprintf(pool, "%s:%d", directive->filename, directive->line_num);
}

const char *iimg_conf_word(apr_pool_t *pool, const ap_directive_t *directive, int number)
{
    const char *rest = directive->args ? directive->args : "", *word = "";

    for (int i = 0; i <= number; i++) {
        word = ap_getword_conf(pool, &rest);
    }
    return word;
}

/* The arguments of a section end with its ">".
 * @return NULL for a pattern */
static const char *read_path(apr_pool_t *pool, const ap_directive_t *section)
{
    const char *args = section->args ? section->args : "", *end = strrchr(args, '>');
    const char *rest = apr_pstrmemdup(pool, args, end ? (apr_size_t)(end - args) : strlen(args));
    char *path = ap_getword_conf(pool, &rest);
    size_t n = strlen(path);

    if (strcasecmp(section->directive, "<Location") != 0 || path[0] != '/'
        || apr_fnmatch_test(path)) {
        return NULL;
    }
    path[path[n - 1] == '/' ? n - 1 : n] = '\0';
    return path;
}

static iimg_location_use_t read_use(const ap_directive_t *section)
{
    if (iimg_conf_holds(section, "IdentityImg", "on")) {
        return IIMG_LOCATION_API;
    }
    if (iimg_conf_holds(section, "IdentityImg", "off")) {
        return IIMG_LOCATION_OFF;
    }
    return iimg_conf_holds(section, "IdentityImg", "errors") ? IIMG_LOCATION_ERRORS
                                                             : IIMG_LOCATION_UNSET;
}

static void add_node(iimg_conf_t *conf, const ap_directive_t *node, bool own)
{
    if (strncasecmp(node->directive, "<Location", strlen("<Location")) == 0) {
        iimg_conf_location_t *location = apr_array_push(conf->locations);

        *location = (iimg_conf_location_t){ read_path(conf->pool, node), node, read_use(node),
                                            own };
    }
    else if (node->directive[0] != '<') {
        APR_ARRAY_PUSH(conf->directives, const ap_directive_t *) = node;
    }
}

static bool is_section_of(const ap_directive_t *node, const server_rec *server)
{
    return server->is_virtual && server->defn_name
           && strcasecmp(node->directive, "<VirtualHost") == 0
           && node->line_num == (int)server->defn_line_number
           && strcmp(node->filename, server->defn_name) == 0;
}

iimg_conf_t *iimg_conf_read(apr_pool_t *pool, const server_rec *server)
{
    iimg_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->pool = pool;
    conf->server = server;
    conf->locations = apr_array_make(pool, 16, sizeof(iimg_conf_location_t));
    conf->directives = apr_array_make(pool, 64, sizeof(const ap_directive_t *));
    for (const ap_directive_t *node = ap_conftree; node; node = node->next) {
        add_node(conf, node, false);
    }
    for (const ap_directive_t *node = ap_conftree; node; node = node->next) {
        for (const ap_directive_t *inner = is_section_of(node, server) ? node->first_child : NULL;
             inner; inner = inner->next) {
            add_node(conf, inner, true);
        }
    }
    return conf;
}

bool iimg_conf_covers(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    return strncmp(folder, path, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

const iimg_conf_location_t *iimg_conf_innermost(const iimg_conf_t *conf, const char *path)
{
    const iimg_conf_location_t *found = NULL;

    for (int i = 0; i < conf->locations->nelts; i++) {
        const iimg_conf_location_t *location = &APR_ARRAY_IDX(conf->locations, i,
                                                              iimg_conf_location_t);

        if (location->path && location->use != IIMG_LOCATION_UNSET
            && iimg_conf_covers(location->path, path)
            && (!found || strlen(location->path) >= strlen(found->path))) {
            found = location;
        }
    }
    return found;
}

const iimg_conf_location_t *iimg_conf_location_at(const iimg_conf_t *conf, const char *path)
{
    for (int i = 0; i < conf->locations->nelts; i++) {
        const iimg_conf_location_t *location = &APR_ARRAY_IDX(conf->locations, i,
                                                              iimg_conf_location_t);

        if (location->path && strcmp(location->path, path) == 0) {
            return location;
        }
    }
    return NULL;
}

const char *iimg_conf_value(const iimg_conf_t *conf, const char *name)
{
    const char *value = NULL;

    for (int i = 0; i < conf->directives->nelts; i++) {
        const ap_directive_t *node = APR_ARRAY_IDX(conf->directives, i, const ap_directive_t *);

        if (strcasecmp(node->directive, name) == 0) {
            value = iimg_conf_word(conf->pool, node, 0);
        }
    }
    return value;
}

bool iimg_conf_holds(const ap_directive_t *section, const char *name, const char *text)
{
    for (const ap_directive_t *node = section->first_child; node; node = node->next) {
        const char *args = node->args ? node->args + strspn(node->args, " \t\"'") : "";

        if ((strcasecmp(node->directive, name) == 0
             && (!text || strncasecmp(args, text, strlen(text)) == 0))
            || iimg_conf_holds(node, name, text)) {
            return true;
        }
    }
    return false;
}
