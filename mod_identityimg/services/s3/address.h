/* address.h - scheme, host and path of a bucket's objects. */
#ifndef IIMG_SERVICES_S3_ADDRESS_H
#define IIMG_SERVICES_S3_ADDRESS_H

#include "services/s3/client.h"

typedef struct iimg_s3_address_t {
    const char *scheme; /* "https" */
    const char *host;   /* as the Host header has it: without a port that is the scheme's */
    const char *path;   /* in front of keys: "", "/bucket", "/behind/a/proxy/bucket" */
} iimg_s3_address_t;

/** Where a checked configuration's bucket is. */
iimg_s3_address_t iimg_s3_address(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                  const char *region);

/** The path of an object, encoded. @param key "": the bucket itself */
const char *iimg_s3_address_path(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                 const iimg_s3_address_t *address, const char *key);

#endif
