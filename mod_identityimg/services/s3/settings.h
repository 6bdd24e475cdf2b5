/* settings.h - checks of the values of S3 directives and options. */
#ifndef IIMG_SERVICES_S3_SETTINGS_H
#define IIMG_SERVICES_S3_SETTINGS_H

#include <apr_pools.h>
#include "services/s3/client.h"

/** Check a value. @return NULL, or a description of valid values */
const char *iimg_s3_check_bucket(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_region(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_addressing(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_prefix(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_encryption(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_kms_key(apr_pool_t *pool, const char *value);

/** @return the meaning of a word that iimg_s3_check_addressing accepts */
iimg_s3_addressing_t iimg_s3_addressing_of(const char *word);

#endif
