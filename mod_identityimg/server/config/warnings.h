/* warnings.h - settings that are allowed in conf files but do not work. */
#ifndef IIMG_SERVER_CONFIG_WARNINGS_H
#define IIMG_SERVER_CONFIG_WARNINGS_H

#include <httpd.h>

/** A line for the operator. */
typedef struct iimg_config_warning_t {
    server_rec *server;
    const char *text; /* tag, directive, object and remedy */
} iimg_config_warning_t;

/**
 * Check all servers for such settings, once their configuration is finished. Changes nothing.
 * @return of iimg_config_warning_t, each text once
 */
apr_array_header_t *iimg_config_warnings(apr_pool_t *pool, server_rec *servers);

#endif
