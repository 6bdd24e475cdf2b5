/* sigv4.h - AWS Signature Version 4: Authorization headers and presigned queries. */
#ifndef IIMG_SERVICES_S3_SIGV4_H
#define IIMG_SERVICES_S3_SIGV4_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>

/** A name and its value, neither encoded nor quoted. */
typedef struct iimg_sigv4_field_t {
    const char *name;
    const char *value;
} iimg_sigv4_field_t;

typedef struct iimg_sigv4_credentials_t {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* of temporary credentials; NULL: none */
} iimg_sigv4_credentials_t;

/** A signing key for a time, a region and a service, for many requests. */
typedef struct iimg_sigv4_key_t {
    const iimg_sigv4_credentials_t *credentials;
    const char *stamp; /* "20130524T000000Z": the time of the signature */
    const char *scope; /* "20130524/us-east-1/s3/aws4_request" */
    unsigned char bytes[32];
} iimg_sigv4_key_t;

typedef struct iimg_sigv4_request_t {
    const char *method;
    const char *path; /* encoded, as it is sent */
    const iimg_sigv4_field_t *query;
    int query_count;
    const iimg_sigv4_field_t *headers; /* to sign; must include Host */
    int header_count;
    const char *payload; /* the body's hash, or IIMG_SIGV4_UNSIGNED */
} iimg_sigv4_request_t;

/** In place of the hash of a body that is not known when the request is signed. */
#define IIMG_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

/** @return the SHA-256 of bytes, in hexadecimal digits; NULL if OpenSSL fails */
const char *iimg_sigv4_hash(apr_pool_t *pool, const void *data, apr_size_t length);

/** Percent-encode all but letters, digits and "-._~". @param slash do not encode '/' */
const char *iimg_sigv4_encode(apr_pool_t *pool, const char *text, bool slash);

/** @return the query of a request, encoded and in the order of the signature; "" for none */
const char *iimg_sigv4_query(apr_pool_t *pool, const iimg_sigv4_field_t *fields, int count);

/**
 * Derive the key for requests at a time. @param credentials must live as long as the key
 * @return NULL if OpenSSL fails
 */
iimg_sigv4_key_t *iimg_sigv4_key(apr_pool_t *pool, const iimg_sigv4_credentials_t *credentials,
                                 const char *region, const char *service, apr_time_t time);

/**
 * Make the value of the Authorization header. The caller must include x-amz-date (the key's stamp),
 * x-amz-content-sha256 and x-amz-security-token in the headers if the service needs them.
 * @return NULL if OpenSSL fails
 */
const char *iimg_sigv4_authorization(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                                     const iimg_sigv4_request_t *request);

/**
 * Make the query of a URL that is valid for `expires` seconds after the key's time, including a
 * session token and the signature. @return NULL if OpenSSL fails
 */
const char *iimg_sigv4_presign(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                               const iimg_sigv4_request_t *request, int expires);

#endif
