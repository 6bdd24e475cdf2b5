/* s3.h - what operators say about an S3 store: single values, and what is made of them. */
#ifndef IIMG_SERVER_CONFIG_S3_H
#define IIMG_SERVER_CONFIG_S3_H

#include "server/config/config.h"

/** Check a single value. @return NULL, or what the value must be */
const char *iimg_config_check_media(apr_pool_t *pool, const char *value);

/**
 * Describe the store "s3", once defaults are filled in.
 * @return NULL, or a sentence as iimg_config_finish's
 */
const char *iimg_config_s3_finish(apr_pool_t *pool, iimg_config_t *config);

#endif
