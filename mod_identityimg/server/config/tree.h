/* tree.h - the sections and directives of the conf files that apply to one server.
 *
 *     conf = iimg_conf_read(pool, server);
 *     location = iimg_conf_innermost(conf, "/api/v1");
 *     if (location && location->use == IIMG_LOCATION_API) { ... }
 */
#ifndef IIMG_SERVER_CONFIG_TREE_H
#define IIMG_SERVER_CONFIG_TREE_H

#include <stdbool.h>
#include <httpd.h>
#include <http_config.h>
#include "server/config/config.h"

/** A <Location>. Those with a pattern have no path. */
typedef struct iimg_conf_location_t {
    const char *path; /* no slash at its end; NULL: a pattern */
    const ap_directive_t *section;
    iimg_location_use_t use; /* by its own IdentityImg */
    bool own;                /* stands in the <VirtualHost> itself */
} iimg_conf_location_t;

typedef struct iimg_conf_t {
    apr_pool_t *pool;
    const server_rec *server;
    apr_array_header_t *locations;  /* iimg_conf_location_t, in the order of merging */
    apr_array_header_t *directives; /* const ap_directive_t *: those outside of sections */
} iimg_conf_t;

/** Collect what applies to a server, while the conf files' tree exists: at start. */
iimg_conf_t *iimg_conf_read(apr_pool_t *pool, const server_rec *server);

/** Whether a path is that of a folder, or lies below it. */
bool iimg_conf_covers(const char *folder, const char *path);

/** The Location with an IdentityImg that decides for a path. @return NULL if there is none */
const iimg_conf_location_t *iimg_conf_innermost(const iimg_conf_t *conf, const char *path);

/** The Location of this very path. @return NULL if there is none */
const iimg_conf_location_t *iimg_conf_location_at(const iimg_conf_t *conf, const char *path);

/** The last directive of a name outside of sections: that of the <VirtualHost>, else an inherited
 * one.
 * @return its arguments; NULL if there is none */
const char *iimg_conf_value(const iimg_conf_t *conf, const char *name);

/**
 * Whether a section holds a directive, at any depth, whose arguments begin with some text.
 * @param text NULL for any arguments
 */
bool iimg_conf_holds(const ap_directive_t *section, const char *name, const char *text);

/** A word of a directive's arguments, without quotes, counted from 0. @return "" behind the last */
const char *iimg_conf_word(apr_pool_t *pool, const ap_directive_t *directive, int number);

/** "FILE:LINE" of a directive. */
const char *iimg_conf_place(apr_pool_t *pool, const ap_directive_t *directive);

#endif
