/* config_s3.c - what operators say about an S3 store: single values, and what is made of them. */
#include "server/config_s3.h"

#include <string.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include "services/s3_client.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_made_of(const char *value, const char *characters, size_t least, size_t most)
{
    size_t n = strspn(value, characters);

    return n >= least && n <= most && value[n] == '\0';
}

const char *iimg_config_check_bucket(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS ".-_", 3, 63) && !strstr(value, "..") && value[0] != '.'
               && value[0] != '-'
           ? NULL : "a bucket's name: 3 to 63 letters, digits, '.', '-', '_'";
}

const char *iimg_config_check_region(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LOWER "-_", 1, 63)
           ? NULL : "a region's name such as eu-central-1: lower-case letters, digits, '-', '_'";
}

const char *iimg_config_check_addressing(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "auto") == 0 || strcmp(value, "path") == 0
               || strcmp(value, "virtual") == 0
           ? NULL : "a kind of addresses: auto, path, virtual";
}

const char *iimg_config_check_prefix(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS "._-/", 1, 200) && value[0] != '/'
               && value[strlen(value) - 1] != '/' && !strstr(value, "//") && !strstr(value, "..")
               && !strstr(value, "./")
           ? NULL : "a prefix such as pictures/production: letters, digits, '.', '-', '_', '/', "
                    "no slash at either end";
}

const char *iimg_config_check_encryption(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "bucket") == 0 || strcmp(value, "AES256") == 0
               || strcmp(value, "aws:kms") == 0
           ? NULL : "an encryption: bucket, AES256, aws:kms";
}

const char *iimg_config_check_kms_key(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS ":/-_", 1, 2048)
           ? NULL : "a key's id, alias or ARN: letters, digits, ':', '/', '-', '_'";
}

const char *iimg_config_check_media(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "signed") == 0 || strcmp(value, "public") == 0
           ? NULL : "a kind of addresses: signed, public";
}

/* What needs two directives -------------------------------------------------------------------- */

static const char *mismatch(const iimg_config_t *config)
{
    if (config->s3_kms_key && strcmp(config->s3_encryption, "aws:kms") != 0) {
        return "IdentityImgS3KMSKey: is for IdentityImgS3Encryption aws:kms";
    }
    if (config->public_url && strcmp(config->media, "public") != 0) {
        return "IdentityImgMediaPublicURL: is for IdentityImgMedia public";
    }
    return NULL;
}

static const char *ca_problem(apr_pool_t *pool, const char *path)
{
    apr_finfo_t info;
    apr_status_t rv = path ? apr_stat(&info, path, APR_FINFO_TYPE, pool) : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "IdentityImgS3CAFile: \"%s\" cannot be read: %pm", path, &rv);
    }
    return path && info.filetype != APR_REG
           ? apr_psprintf(pool, "IdentityImgS3CAFile: \"%s\" is not a plain file", path) : NULL;
}

static iimg_s3_addressing_t addressing_of(const char *word)
{
    return strcmp(word, "path") == 0 ? IIMG_S3_PATH
           : strcmp(word, "virtual") == 0 ? IIMG_S3_VIRTUAL : IIMG_S3_AUTO;
}

static const char *without_slash(apr_pool_t *pool, const char *url)
{
    size_t n = url ? strlen(url) : 0;

    return n && url[n - 1] == '/' ? apr_pstrmemdup(pool, url, n - 1) : url;
}

const char *iimg_config_s3_finish(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_s3_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));
    const char *problem = mismatch(config);

    settings->endpoint = config->s3_endpoint;
    settings->bucket = config->s3_bucket;
    settings->region = config->s3_region;
    settings->addressing = addressing_of(config->s3_addressing);
    settings->prefix = config->s3_prefix ? apr_pstrcat(pool, config->s3_prefix, "/", NULL) : "";
    settings->credentials_file = config->s3_credentials_file;
    settings->machine_credentials = config->s3_machine;
    settings->allow_http = config->allow_insecure;
    settings->ca_file = config->s3_ca_file;
    settings->encryption = strcmp(config->s3_encryption, "bucket") == 0 ? NULL
                                                                        : config->s3_encryption;
    settings->kms_key = config->s3_kms_key;
    settings->connect_timeout = config->s3_connect_timeout;
    settings->timeout = config->s3_timeout;
    settings->is_public = strcmp(config->media, "public") == 0;
    settings->public_url = without_slash(pool, config->public_url);
    config->services.storage.s3 = settings;
    return problem ? problem : ca_problem(pool, config->s3_ca_file);
}
