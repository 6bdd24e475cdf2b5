/* s3.h - the settings of the store "s3": checks, and the driver's settings. */
#ifndef IIMG_SERVER_CONFIG_S3_H
#define IIMG_SERVER_CONFIG_S3_H

#include "server/config/config.h"

/** Check a single value. @return NULL, or what the value must be */
const char *iimg_config_check_media(apr_pool_t *pool, const char *value);

/**
 * Build the driver's settings, once defaults are filled in.
 * @return NULL, or a message as of iimg_config_finish
 */
const char *iimg_config_s3_finish(apr_pool_t *pool, iimg_config_t *config);

#endif
