/* sigv4.h - AWS Signature Version 4: Authorization headers and presigned queries. Sends nothing. */
#ifndef IIMG_SERVICES_S3_SIGV4_H
#define IIMG_SERVICES_S3_SIGV4_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>

/** A name and its value, as they are: neither encoded nor quoted. */
typedef struct iimg_sigv4_field_t {
    const char *name;
    const char *value;
} iimg_sigv4_field_t;

typedef struct iimg_sigv4_credentials_t {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* of temporary credentials; NULL: none */
} iimg_sigv4_credentials_t;

/** What signs for one day, region and service: made once, used for many requests. */
typedef struct iimg_sigv4_key_t {
    const iimg_sigv4_credentials_t *credentials;
    const char *stamp; /* "20130524T000000Z": the time that is signed */
    const char *scope; /* "20130524/us-east-1/s3/aws4_request" */
    unsigned char bytes[32];
} iimg_sigv4_key_t;

typedef struct iimg_sigv4_request_t {
    const char *method;
    const char *path; /* encoded, as it goes out */
    const iimg_sigv4_field_t *query;
    int query_count;
    const iimg_sigv4_field_t *headers; /* all of them are signed; Host must be among them */
    int header_count;
    const char *payload; /* the body's hash, or IIMG_SIGV4_UNSIGNED */
} iimg_sigv4_request_t;

/** In place of a body's hash, where the body is not known when the request is signed. */
#define IIMG_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

/** The SHA-256 of bytes, in hexadecimal digits; NULL when OpenSSL fails. */
const char *iimg_sigv4_hash(apr_pool_t *pool, const void *data, apr_size_t length);

/** Percent-encode all but letters, digits, "-._~". @param slash whether '/' stays as well */
const char *iimg_sigv4_encode(apr_pool_t *pool, const char *text, bool slash);

/** The query of a request, encoded and in the order that is signed; "" for none. */
const char *iimg_sigv4_query(apr_pool_t *pool, const iimg_sigv4_field_t *fields, int count);

/**
 * Derive the key for requests at a time. @param credentials must live as long as the key
 * @return NULL when OpenSSL fails
 */
iimg_sigv4_key_t *iimg_sigv4_key(apr_pool_t *pool, const iimg_sigv4_credentials_t *credentials,
                                 const char *region, const char *service, apr_time_t time);

/**
 * The Authorization header's value. x-amz-date (the key's stamp), x-amz-content-sha256 and
 * x-amz-security-token are the caller's to put among the headers, where the service wants them.
 * @return NULL when OpenSSL fails
 */
const char *iimg_sigv4_authorization(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                                     const iimg_sigv4_request_t *request);

/**
 * The whole query of a URL that is good for `expires` seconds from the key's time on, a session's
 * token and the signature included. @return NULL when OpenSSL fails
 */
const char *iimg_sigv4_presign(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                               const iimg_sigv4_request_t *request, int expires);

#endif
