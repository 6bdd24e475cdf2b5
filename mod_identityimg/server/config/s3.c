/* s3.c - the settings of the store "s3": checks, and the driver's settings. */
#include "server/config/s3.h"

#include <string.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include "services/s3/client.h"
#include "services/s3/settings.h"

const char *iimg_config_check_media(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "signed") == 0 || strcmp(value, "public") == 0
               ? NULL
               : "a kind of picture URLs: signed, public";
}

/* Finish --------------------------------------------------------------------------------------- */

static const char *mismatch(const iimg_config_t *config)
{
    if (config->s3_kms_key && strcmp(config->s3_encryption, "aws:kms") != 0) {
        return "IdentityImgS3KMSKey: needs IdentityImgS3Encryption aws:kms; set it, or remove the key";
    }
    if (config->public_url && strcmp(config->media, "public") != 0) {
        return "IdentityImgMediaPublicURL: needs IdentityImgMedia public; set it, or remove the URL";
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
               ? apr_psprintf(pool, "IdentityImgS3CAFile: \"%s\" is not a regular file", path)
               : NULL;
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
    settings->addressing = iimg_s3_addressing_of(config->s3_addressing);
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
    if (problem) {
        return problem;
    }
    return ca_problem(pool, config->s3_ca_file);
}
