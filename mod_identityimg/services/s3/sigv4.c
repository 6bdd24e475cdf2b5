/* sigv4.c - AWS Signature Version 4: Authorization headers and presigned queries. */
#include "services/s3/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define ALGORITHM    "AWS4-HMAC-SHA256"
#define SHA256_BYTES 32

static const char *hex(apr_pool_t *pool, const unsigned char *bytes)
{
    return apr_pescape_hex(pool, bytes, SHA256_BYTES, 0);
}

static bool hmac(const unsigned char *key, size_t key_length, const char *text, unsigned char *out)
{
    unsigned int length = 0;

    return HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), out,
                &length)
           && length == SHA256_BYTES;
}

const char *iimg_sigv4_hash(apr_pool_t *pool, const void *data, apr_size_t length)
{
    unsigned char sum[EVP_MAX_MD_SIZE];

    return EVP_Digest(data ? data : "", length, sum, NULL, EVP_sha256(), NULL) ? hex(pool, sum)
                                                                               : NULL;
}

/* The text to sign ---------------------------------------------------------------------------- */

static bool stays(char c, bool slash)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
           || (c && strchr("-._~", c)) || (slash && c == '/');
}

const char *iimg_sigv4_encode(apr_pool_t *pool, const char *text, bool slash)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = apr_palloc(pool, 3 * strlen(text) + 1), *to = encoded;

    for (; *text; text++) {
        if (stays(*text, slash)) {
            *to++ = *text;
        }
        else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*text >> 4];
            *to++ = digits[(unsigned char)*text & 15];
        }
    }
    *to = '\0';
    return encoded;
}

static int compare_pairs(const void *a_, const void *b_)
{
    const iimg_sigv4_field_t *a = a_, *b = b_;
    int order = strcmp(a->name, b->name);

    return order ? order : strcmp(a->value, b->value);
}

const char *iimg_sigv4_query(apr_pool_t *pool, const iimg_sigv4_field_t *fields, int count)
{
    apr_array_header_t *pieces = apr_array_make(pool, 4 * count + 1, sizeof(const char *));
    iimg_sigv4_field_t *sorted = apr_palloc(pool, (apr_size_t)(count + 1) * sizeof(*sorted));

    for (int i = 0; i < count; i++) {
        sorted[i].name = iimg_sigv4_encode(pool, fields[i].name, false);
        sorted[i].value = iimg_sigv4_encode(pool, fields[i].value, false);
    }
    qsort(sorted, (size_t)count, sizeof(*sorted), compare_pairs);
    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(pieces, const char *) = i ? "&" : "";
        APR_ARRAY_PUSH(pieces, const char *) = sorted[i].name;
        APR_ARRAY_PUSH(pieces, const char *) = "=";
        APR_ARRAY_PUSH(pieces, const char *) = sorted[i].value;
    }
    return apr_array_pstrcat(pool, pieces, '\0');
}

/* Remove spaces at both ends, and collapse others. */
static const char *trim(apr_pool_t *pool, const char *value)
{
    char *trimmed = apr_palloc(pool, strlen(value) + 1), *to = trimmed;

    for (value += strspn(value, " \t"); *value; value++) {
        if (*value != ' ' && *value != '\t') {
            *to++ = *value;
        }
        else if (to[-1] != ' ') {
            *to++ = ' ';
        }
    }
    if (to > trimmed && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
    return trimmed;
}

/* Sort by name, keeping the order of headers with the same name. */
static iimg_sigv4_field_t *sorted_headers(apr_pool_t *pool, const iimg_sigv4_request_t *request)
{
    apr_size_t size = (apr_size_t)(request->header_count + 1) * sizeof(iimg_sigv4_field_t);
    iimg_sigv4_field_t *sorted = apr_palloc(pool, size);

    for (int i = 0; i < request->header_count; i++) {
        char *name = apr_pstrdup(pool, request->headers[i].name);
        int at = i;

        for (char *c = name; *c; c++) {
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        }
        for (; at > 0 && strcmp(sorted[at - 1].name, name) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = (iimg_sigv4_field_t){ name, trim(pool, request->headers[i].value) };
    }
    return sorted;
}

/* @param names "host;x-amz-date" @return "host:example.com\nx-amz-date:20130524T000000Z\n" */
static const char *canonical_headers(apr_pool_t *pool, const iimg_sigv4_request_t *request,
                                     const char **names)
{
    iimg_sigv4_field_t *sorted = sorted_headers(pool, request);
    const char *lines = "";

    *names = "";
    for (int i = 0; i < request->header_count; i++) {
        bool same = i > 0 && strcmp(sorted[i].name, sorted[i - 1].name) == 0;

        if (same) {
            lines = apr_pstrcat(pool, lines, ",", sorted[i].value, NULL);
            continue;
        }
        *names = apr_pstrcat(pool, *names, i ? ";" : "", sorted[i].name, NULL);
        lines = apr_pstrcat(pool, lines, i ? "\n" : "", sorted[i].name, ":", sorted[i].value, NULL);
    }
    return apr_pstrcat(pool, lines, "\n", NULL);
}

/* Signing ------------------------------------------------------------------------------------- */

iimg_sigv4_key_t *iimg_sigv4_key(apr_pool_t *pool, const iimg_sigv4_credentials_t *credentials,
                                 const char *region, const char *service, apr_time_t time)
{
    iimg_sigv4_key_t *key = apr_pcalloc(pool, sizeof(*key));
    const char *first = apr_pstrcat(pool, "AWS4", credentials->secret_key, NULL), *date;
    apr_time_exp_t utc;
    bool made;

    apr_time_exp_gmt(&utc, time);
    date = apr_psprintf(pool, "%04d%02d%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
    key->credentials = credentials;
    key->stamp = apr_psprintf(pool, "%sT%02d%02d%02dZ", date, utc.tm_hour, utc.tm_min, utc.tm_sec);
    key->scope = apr_pstrcat(pool, date, "/", region, "/", service, "/aws4_request", NULL);
    made = hmac((const unsigned char *)first, strlen(first), date, key->bytes)
           && hmac(key->bytes, SHA256_BYTES, region, key->bytes)
           && hmac(key->bytes, SHA256_BYTES, service, key->bytes)
           && hmac(key->bytes, SHA256_BYTES, "aws4_request", key->bytes);
    OPENSSL_cleanse((char *)first, strlen(first));
    return made ? key : NULL;
}

static const char *signature_of(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                                const iimg_sigv4_request_t *request, const char *query,
                                const char *headers, const char *names)
{
    const char *canonical = apr_pstrcat(pool, request->method, "\n", request->path, "\n", query,
                                        "\n", headers, "\n", names, "\n", request->payload, NULL);
    const char *hash = iimg_sigv4_hash(pool, canonical, strlen(canonical));
    const char *text = apr_pstrcat(pool, ALGORITHM "\n", key->stamp, "\n", key->scope, "\n", hash,
                                   NULL);
    unsigned char sum[SHA256_BYTES];

    return hash && hmac(key->bytes, SHA256_BYTES, text, sum) ? hex(pool, sum) : NULL;
}

const char *iimg_sigv4_authorization(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                                     const iimg_sigv4_request_t *request)
{
    const char *names, *headers = canonical_headers(pool, request, &names);
    const char *query = iimg_sigv4_query(pool, request->query, request->query_count);
    const char *signature = signature_of(pool, key, request, query, headers, names);

    return signature
               ? apr_pstrcat(pool, ALGORITHM " Credential=", key->credentials->access_key, "/",
                             key->scope, ", SignedHeaders=", names, ", Signature=", signature, NULL)
               : NULL;
}

const char *iimg_sigv4_presign(apr_pool_t *pool, const iimg_sigv4_key_t *key,
                               const iimg_sigv4_request_t *request, int expires)
{
    const char *names, *headers = canonical_headers(pool, request, &names);
    const char *credential = apr_pstrcat(pool, key->credentials->access_key, "/", key->scope, NULL);
    apr_array_header_t *fields = apr_array_make(pool, request->query_count + 6,
                                                sizeof(iimg_sigv4_field_t));
    const iimg_sigv4_field_t ours[] = {
        { "X-Amz-Algorithm", ALGORITHM },
        { "X-Amz-Credential", credential },
        { "X-Amz-Date", key->stamp },
        { "X-Amz-Expires", apr_itoa(pool, expires) },
        { "X-Amz-SignedHeaders", names },
        { "X-Amz-Security-Token", key->credentials->session_token },
    };
    const char *query, *signature;

    for (int i = 0; i < request->query_count; i++) {
        APR_ARRAY_PUSH(fields, iimg_sigv4_field_t) = request->query[i];
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (ours[i].value) {
            APR_ARRAY_PUSH(fields, iimg_sigv4_field_t) = ours[i];
        }
    }
    query = iimg_sigv4_query(pool, (const iimg_sigv4_field_t *)fields->elts, fields->nelts);
    signature = signature_of(pool, key, request, query, headers, names);
    return signature ? apr_pstrcat(pool, query, "&X-Amz-Signature=", signature, NULL) : NULL;
}
