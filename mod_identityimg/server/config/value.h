/* value.h - checks of single values of directives. */
#ifndef IIMG_SERVER_CONFIG_VALUE_H
#define IIMG_SERVER_CONFIG_VALUE_H

#include <apr_pools.h>

/** Checks of single values. @return NULL, or what the value must be: "an absolute path" */
const char *iimg_config_check_url(apr_pool_t *pool, const char *value);
const char *iimg_config_check_base_url(apr_pool_t *pool, const char *value);
const char *iimg_config_check_path(apr_pool_t *pool, const char *value);
const char *iimg_config_check_file(apr_pool_t *pool, const char *value);
const char *iimg_config_check_storage(apr_pool_t *pool, const char *value);
const char *iimg_config_check_derivative(apr_pool_t *pool, const char *value);

#endif
