/* client.h - a client for a bucket of an S3 store: signed requests, retries, errors, URLs. */
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

/*
 * The storage driver "s3" (services/storage/s3.c) creates one client for each process:
 *
 *     client = iimg_s3_client_create(pool, settings);
 *     err = iimg_s3_send(context, client, calls, count);        sends calls in parallel
 *     if (!err && !iimg_s3_succeeded(&calls[i]))
 *         err = iimg_s3_error(context, client, &calls[i]);
 *
 * and for the URLs of one response:
 *
 *     err = iimg_s3_signer_create(context, client, since, expiry, &signer);
 *     url = iimg_s3_url(signer, key, download);
 */

/** Where the bucket's name is in URLs. */
typedef enum {
    IIMG_S3_AUTO,   /* in the host at AWS, in the path elsewhere */
    IIMG_S3_PATH,   /* https://host/bucket/key */
    IIMG_S3_VIRTUAL /* https://bucket.host/key */
} iimg_s3_addressing_t;

/** Most bytes of a region's name, with its NUL. */
#define IIMG_S3_MAX_REGION 64

/** The configuration; read-only after start. */
typedef struct iimg_s3_settings_t {
    const char *endpoint; /* "https://host[:port][/path]"; NULL: AWS, by region */
    const char *bucket;
    const char *region;
    char told_region[IIMG_S3_MAX_REGION]; /* the store's own region; `region` may point here */
    iimg_s3_addressing_t addressing;
    const char *prefix;             /* of each key, with a slash at its end; "" for none */
    const char *credentials_file;   /* NULL: not configured */
    bool machine_credentials;       /* may be requested from the machine */
    const iimg_s3_source_t *source; /* of credentials; see iimg_s3_source_find */
    bool allow_http;                /* allow plain http to other machines */
    const char *ca_file;            /* PEM; NULL: this machine's bundle */
    const char *encryption;         /* "AES256", "aws:kms"; NULL: the bucket's */
    const char *kms_key;            /* NULL: the bucket's */
    int connect_timeout;            /* seconds */
    int timeout;                    /* seconds for a step with all its retries; an attempt
                                       without progress is aborted after a quarter of it */
    bool is_public;                 /* the bucket is public: URLs are not signed */
    const char *public_url;         /* the start of public URLs; NULL: the bucket's */
} iimg_s3_settings_t;

/** The client of a process: connections, credentials, the store's region and clock. */
typedef struct iimg_s3_client_t iimg_s3_client_t;

/** Check the settings. @return NULL, or a sentence that starts with the directive to correct */
const char *iimg_s3_settings_check(apr_pool_t *pool, const iimg_s3_settings_t *settings);

/**
 * Create a client, after the last fork and before threads start. The pool owns it.
 * @return NULL if there is no memory or mutex
 */
iimg_s3_client_t *iimg_s3_client_create(apr_pool_t *pool, const iimg_s3_settings_t *settings);

/** @return the region that the store has reported, or else the configured one */
const char *iimg_s3_client_region(apr_pool_t *pool, iimg_s3_client_t *client);

/**
 * A number that changes when earlier URLs become invalid: with renewed credentials, and with the
 * reported region and clock of the store. 0 with constant credentials and the configured region.
 */
apr_int64_t iimg_s3_client_epoch(iimg_context_t *context, iimg_s3_client_t *client);

/** A request and its result. */
typedef struct iimg_s3_call_t {
    const char *method;
    const char *key; /* without the prefix; "": the bucket */
    const iimg_sigv4_field_t *query;
    int query_count;
    const iimg_sigv4_field_t *headers; /* except host, date, hash, token and length */
    int header_count;
    const char *data;
    apr_size_t length;
    apr_size_t max_response; /* bytes of the response's body */

    iimg_http_response_t *response; /* the last one; never NULL afterwards */
    const char *code;               /* the store's error code, such as "NoSuchKey", or NULL */
    int sent;                       /* attempts */
    bool moved, skewed;             /* was signed again for another region or clock */
    int again_after;                /* Retry-After in seconds; 0: none */
} iimg_s3_call_t;

/**
 * Send requests in parallel, each up to three times (plus once for another region and once for
 * another clock), within the settings' timeout.
 * @param count IIMG_HTTP_AT_ONCE at most
 * @return an error if nothing was sent; else the results are in the calls
 * Errors: IIMG_UNAVAILABLE (no credentials), IIMG_INTERNAL (OpenSSL).
 */
iimg_error_t *iimg_s3_send(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t *calls,
                           int count);

/** Whether the store answered with a status of 2xx. */
bool iimg_s3_succeeded(const iimg_s3_call_t *call);

/**
 * Make the error for a failed call. Its detail has bucket, key, status, and the store's code,
 * message and request id. one_object is set if calls for other objects may succeed. Errors:
 * IIMG_UNAVAILABLE; IIMG_NOT_FOUND (no such key); IIMG_TOO_LARGE (over max_response).
 */
iimg_error_t *iimg_s3_error(iimg_context_t *context, const iimg_s3_client_t *client,
                            const iimg_s3_call_t *call);

/** Makes the URLs of one response. Belongs to one thread. */
typedef struct iimg_s3_signer_t iimg_s3_signer_t;

/**
 * @param since  time of the signatures
 * @param expiry seconds after that time for which the URLs are valid
 * Errors: IIMG_UNAVAILABLE (no credentials), IIMG_INTERNAL (OpenSSL).
 */
iimg_error_t *iimg_s3_signer_create(iimg_context_t *context, iimg_s3_client_t *client,
                                    apr_time_t since, int expiry, iimg_s3_signer_t **signer);

/**
 * Make a URL that any client can open.
 * @param download file name for saving; NULL: to show; ignored for public URLs
 * @return NULL if OpenSSL fails
 */
const char *iimg_s3_url(iimg_s3_signer_t *signer, const char *key, const char *download);

#endif
