/* client.h - signed requests to a bucket of an S3 store: addresses, retries, errors. */
#ifndef IIMG_SERVICES_S3_CLIENT_H
#define IIMG_SERVICES_S3_CLIENT_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "base/context.h"
#include "base/error.h"
#include "base/http/http.h"
#include "services/s3/credentials.h"
#include "services/s3/sigv4.h"

/** How the bucket's name goes into addresses. */
typedef enum {
    IIMG_S3_AUTO,   /* as AWS wants it there, in the path elsewhere */
    IIMG_S3_PATH,   /* https://host/bucket/key */
    IIMG_S3_VIRTUAL /* https://bucket.host/key */
} iimg_s3_addressing_t;

/** Most bytes of a region's name, with its NUL. */
#define IIMG_S3_MAX_REGION 64

/** What the operator configured; read-only after start. */
typedef struct iimg_s3_settings_t {
    const char *endpoint; /* "https://host[:port][/path]"; NULL: AWS, by region */
    const char *bucket;
    const char *region;
    char told_region[IIMG_S3_MAX_REGION]; /* where `region` points when the store knew better */
    iimg_s3_addressing_t addressing;
    const char *prefix;             /* in front of each key, with its slash; "" for none */
    const char *credentials_file;   /* NULL: none is named */
    bool machine_credentials;       /* the machine may be asked for them */
    const iimg_s3_source_t *source; /* of credentials, as iimg_s3_source_find has found it */
    bool allow_http;                /* plain http beyond loopback */
    const char *ca_file;            /* PEM; NULL: this machine's bundle */
    const char *encryption;         /* "AES256", "aws:kms"; NULL: as the bucket says */
    const char *kms_key;            /* NULL: the bucket's */
    int connect_timeout;            /* seconds */
    int timeout;                    /* seconds for a step with all its retries; an attempt in
                                       which nothing moves is given up after a quarter of it */
    bool is_public;                 /* anybody may read the bucket: addresses are not signed */
    const char *public_url;         /* what public addresses begin with; NULL: the bucket's */
} iimg_s3_settings_t;

/** One process' client: connections, credentials, and what the store has told about itself. */
typedef struct iimg_s3_client_t iimg_s3_client_t;

/** Check addresses and names. @return NULL, or a sentence that begins with the directive to mend */
const char *iimg_s3_settings_check(apr_pool_t *pool, const iimg_s3_settings_t *settings);

/**
 * Begin, before threads start and after the last fork. @param pool ends the client
 * @return NULL when there is no memory or mutex
 */
iimg_s3_client_t *iimg_s3_client_create(apr_pool_t *pool, const iimg_s3_settings_t *settings);

/** The region that the store has said it is in; the configured one until then. */
const char *iimg_s3_client_region(apr_pool_t *pool, iimg_s3_client_t *client);

/**
 * A number that changes when addresses that were made before are no good any longer: with
 * credentials that are fetched anew, and with what the store tells of its region and its clock. 0
 * for credentials that stay, where all is as it was configured.
 */
apr_int64_t iimg_s3_client_epoch(iimg_context_t *context, iimg_s3_client_t *client);

/** A request, and what came of it. */
typedef struct iimg_s3_call_t {
    const char *method;
    const char *key; /* without the prefix; "": the bucket */
    const iimg_sigv4_field_t *query;
    int query_count;
    const iimg_sigv4_field_t *headers; /* beside host, date, hash, token and length */
    int header_count;
    const char *data;
    apr_size_t length;
    apr_size_t max_response; /* bytes of the answer's body */

    iimg_http_response_t *response; /* the last one; never NULL afterwards */
    const char *code;               /* "NoSuchKey": the store's word; NULL: none */
    int sent;                       /* how often */
    bool moved, skewed;             /* it was signed anew for another region, another clock */
    int again_after;                /* seconds that the store asks to wait; 0: it does not */
} iimg_s3_call_t;

/**
 * Send requests, all at the same time, each up to three times (and once more for another region or
 * clock), until the settings' timeout.
 * @param count at most IIMG_HTTP_AT_ONCE
 * @return an error when nothing could be sent; else what came of each is in the calls
 * Errors: IIMG_UNAVAILABLE (no credentials), IIMG_INTERNAL (OpenSSL).
 */
iimg_error_t *iimg_s3_send(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t *calls,
                           int count);

/** Whether the store did what it was asked. */
bool iimg_s3_succeeded(const iimg_s3_call_t *call);

/**
 * What to tell of a call that failed. The detail is for operators: bucket, key, status, the store's
 * code, sentence and request id; one_object: calls for other objects may succeed.
 * Errors: IIMG_UNAVAILABLE; IIMG_NOT_FOUND (no such key); IIMG_TOO_LARGE (over max_response).
 */
iimg_error_t *iimg_s3_error(iimg_context_t *context, const iimg_s3_client_t *client,
                            const iimg_s3_call_t *call);

/** Signs the addresses of one answer. Belongs to one thread. */
typedef struct iimg_s3_signer_t iimg_s3_signer_t;

/**
 * @param since when the addresses are signed
 * @param expiry how many seconds they are good for from then on
 * Errors: IIMG_UNAVAILABLE (no credentials), IIMG_INTERNAL (OpenSSL).
 */
iimg_error_t *iimg_s3_signer_create(iimg_context_t *context, iimg_s3_client_t *client,
                                    apr_time_t since, int expiry, iimg_s3_signer_t **signer);

/**
 * An address that opens in any client. @param download file name to save it under, NULL to show it;
 * public addresses have none. @return NULL when OpenSSL fails
 */
const char *iimg_s3_url(iimg_s3_signer_t *signer, const char *key, const char *download);

#endif
