/* warnings.h - finds settings that httpd accepts, but that cannot work. */
#ifndef IIMG_SERVER_CONFIG_WARNINGS_H
#define IIMG_SERVER_CONFIG_WARNINGS_H

#include <httpd.h>

typedef struct iimg_config_warning_t {
    server_rec *server;
    const char *text; /* tag, directive, object and remedy */
} iimg_config_warning_t;

/**
 * Check all servers, once their configuration is finished.
 * @return iimg_config_warning_t, each text once
 */
apr_array_header_t *iimg_config_warnings(apr_pool_t *pool, server_rec *servers);

#endif
