/* config_warnings.h - what is allowed in conf files and still does not do what it says. */
#ifndef IIMG_SERVER_CONFIG_WARNINGS_H
#define IIMG_SERVER_CONFIG_WARNINGS_H

#include <httpd.h>

/** A line for the operator. */
typedef struct iimg_config_warning_t {
    server_rec *server;
    const char *text;       /* tag, directive, object and remedy */
} iimg_config_warning_t;

/**
 * Look for them in all servers, once their configuration is finished. Changes nothing.
 * @return of iimg_config_warning_t, each text once
 */
apr_array_header_t *iimg_config_warnings(apr_pool_t *pool, server_rec *servers);

#endif
