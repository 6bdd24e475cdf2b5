/* address.h - scheme, host and path of the URLs of a bucket. */
#ifndef IIMG_SERVICES_S3_ADDRESS_H
#define IIMG_SERVICES_S3_ADDRESS_H

#include "services/s3/client.h"

typedef struct iimg_s3_address_t {
    const char *scheme; /* "https" */
    const char *host;   /* as in the Host header: without the scheme's default port */
    const char *path;   /* before keys: "", "/bucket", "/behind/a/proxy/bucket" */
} iimg_s3_address_t;

/** @return the address of the bucket of checked settings */
iimg_s3_address_t iimg_s3_address(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                  const char *region);

/** @return the encoded path of an object @param key "": the bucket itself */
const char *iimg_s3_address_path(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                 const iimg_s3_address_t *address, const char *key);

#endif
