/* address.c - scheme, host and path of the URLs of a bucket. */
#include "services/s3/address.h"

#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include <apr_strings.h>
#include <apr_uri.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t n = strlen(text), m = strlen(with);

    return n >= m && strcmp(text + n - m, with) == 0;
}

/* At AWS each bucket has its own host name. The TLS certificate covers one label, so it does not
 * match names with dots. */
static bool is_virtual(const iimg_s3_settings_t *settings, const char *host)
{
    bool aws = ends(host, ".amazonaws.com") || ends(host, ".amazonaws.com.cn");

    return settings->addressing == IIMG_S3_VIRTUAL
           || (settings->addressing == IIMG_S3_AUTO && aws && !strchr(settings->bucket, '.'));
}

static const char *aws_endpoint(apr_pool_t *pool, const char *region)
{
    return apr_pstrcat(pool, "https://s3.", region, ".amazonaws.com",
                       begins(region, "cn-") ? ".cn" : "", NULL);
}

static const char *lower(apr_pool_t *pool, const char *text, size_t length)
{
    char *copy = apr_pstrmemdup(pool, text, length);

    for (char *c = copy; *c; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    }
    return copy;
}

iimg_s3_address_t iimg_s3_address(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                  const char *region)
{
    const char *endpoint = settings->endpoint ? settings->endpoint : aws_endpoint(pool, region);
    const char *host = strstr(endpoint, "://") + 3, *path = host + strcspn(host, "/");
    size_t length = strlen(path);
    iimg_s3_address_t address;

    address.scheme = lower(pool, endpoint, (size_t)(host - 3 - endpoint));
    address.host = lower(pool, host, (size_t)(path - host));
    if (ends(address.host, strcmp(address.scheme, "https") == 0 ? ":443" : ":80")) {
        address.host = apr_pstrmemdup(pool, address.host,
                                      (apr_size_t)(strrchr(address.host, ':') - address.host));
    }
    address.path = apr_pstrmemdup(pool, path,
                                  length && path[length - 1] == '/' ? length - 1 : length);
    if (is_virtual(settings, address.host)) {
        address.host = apr_pstrcat(pool, settings->bucket, ".", address.host, NULL);
    }
    else {
        address.path = apr_pstrcat(pool, address.path, "/", settings->bucket, NULL);
    }
    return address;
}

const char *iimg_s3_address_path(apr_pool_t *pool, const iimg_s3_settings_t *settings,
                                 const iimg_s3_address_t *address, const char *key)
{
    if (!*key) {
        return apr_pstrcat(pool, address->path, "/", NULL);
    }
    return apr_pstrcat(pool, address->path, "/", iimg_sigv4_encode(pool, settings->prefix, true),
                       iimg_sigv4_encode(pool, key, true), NULL);
}

/* Checks --------------------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcasecmp(host, "localhost") == 0 || ends(host, ".localhost")) {
        return true;
    }
    if (inet_pton(AF_INET, host, &four) == 1) {
        return (ntohl(four.s_addr) >> 24) == 127;
    }
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* @return NULL, or a clause */
static const char *endpoint_problem(apr_pool_t *pool, const char *endpoint, bool allow_http)
{
    apr_uri_t uri;

    if (apr_uri_parse(pool, endpoint, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname
        || !*uri.hostname) {
        return "is not a URL";
    }
    if (uri.user || uri.password || uri.query || uri.fragment) {
        return "has a user name, a query or a fragment";
    }
    return strcasecmp(uri.scheme, "https") == 0 || allow_http || is_loopback(uri.hostname)
               ? NULL
               : "is plain http to another machine, which sends photos and URLs unencrypted "
                 "(to allow it, set IdentityImgAllowInsecureEndpoint)";
}

const char *iimg_s3_settings_check(apr_pool_t *pool, const iimg_s3_settings_t *settings)
{
    const char *problem;

    if (!settings->bucket) {
        return "IdentityImgS3Bucket: the storage \"s3\" needs the name of a bucket";
    }
    problem = settings->endpoint ? endpoint_problem(pool, settings->endpoint, settings->allow_http)
                                 : NULL;
    return problem
               ? apr_psprintf(pool, "IdentityImgS3Endpoint: \"%s\" %s", settings->endpoint, problem)
               : NULL;
}
