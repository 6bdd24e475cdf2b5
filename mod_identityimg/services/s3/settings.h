/* settings.h - what operators may say of an S3 store: single values, in directives and options. */
#ifndef IIMG_SERVICES_S3_SETTINGS_H
#define IIMG_SERVICES_S3_SETTINGS_H

#include <apr_pools.h>
#include "services/s3/client.h"

/** Checks of single values. @return NULL, or what the value must be */
const char *iimg_s3_check_bucket(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_region(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_addressing(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_prefix(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_encryption(apr_pool_t *pool, const char *value);
const char *iimg_s3_check_kms_key(apr_pool_t *pool, const char *value);

/** What a word that iimg_s3_check_addressing takes stands for. */
iimg_s3_addressing_t iimg_s3_addressing_of(const char *word);

#endif
