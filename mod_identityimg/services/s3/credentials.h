/* credentials.h - credentials for an S3 store, from files, the environment or the machine. */
#ifndef IIMG_SERVICES_S3_CREDENTIALS_H
#define IIMG_SERVICES_S3_CREDENTIALS_H

#include <stdbool.h>
#include <apr_pools.h>
#include "base/context.h"
#include "base/error.h"
#include "services/s3/sigv4.h"

/** The source of credentials; read-only after start. */
typedef struct iimg_s3_source_t iimg_s3_source_t;

/**
 * Find credentials, with the rights and the environment that the server starts with. In this order:
 * the named file; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the profile
 * AWS_PROFILE (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials); where `machine` says
 * so, the container's endpoint (AWS_CONTAINER_CREDENTIALS_...) or the virtual machine's (IMDSv2).
 * @param file    absolute path of a file as ~/.aws/credentials, or NULL
 * @param machine whether to ask the machine when nothing else has credentials
 * @return NULL, or a sentence that says what to mend
 */
const char *iimg_s3_source_find(apr_pool_t *pool, const char *file, bool machine,
                                iimg_s3_source_t **source);

/** Whether its credentials expire and are renewed. */
bool iimg_s3_source_changes(const iimg_s3_source_t *source);

/** The current credentials of a process. */
typedef struct iimg_s3_credentials_t iimg_s3_credentials_t;

/** Create, before threads start. @return NULL if there is no mutex */
iimg_s3_credentials_t *iimg_s3_credentials_create(apr_pool_t *pool, const iimg_s3_source_t *source);

/**
 * Copy the current credentials into the context's pool. Expiring ones are renewed five minutes
 * earlier; if that fails, the old ones are used until they expire.
 * Errors: IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_s3_credentials_get(iimg_context_t *context, iimg_s3_credentials_t *credentials,
                                      iimg_sigv4_credentials_t *now);

#endif
