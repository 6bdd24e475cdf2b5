/* store.c - the tool's picture store. */
#include "ctl/store.h"

#include <string.h>
#include <apr_strings.h>
#include "functions/shared/store_identity.h"
#include "services/s3/client.h"
#include "services/s3/settings.h"

#define CONNECT_TIMEOUT 3 /* seconds */
#define TIMEOUT         30

static bool is_on(const char *text)
{
    return text && strcmp(text, "on") == 0;
}

static iimg_s3_settings_t *s3_settings(apr_pool_t *pool, const ctl_options_t *options)
{
    iimg_s3_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));

    settings->endpoint = options->s3_endpoint;
    settings->bucket = options->s3_bucket;
    settings->region = options->s3_region ? options->s3_region : "us-east-1";
    settings->addressing = options->s3_addressing ? iimg_s3_addressing_of(options->s3_addressing)
                                                  : IIMG_S3_AUTO;
    settings->prefix = options->s3_prefix ? apr_pstrcat(pool, options->s3_prefix, "/", NULL) : "";
    settings->credentials_file = options->s3_credentials_file;
    settings->machine_credentials = is_on(options->s3_machine_credentials);
    settings->allow_http = is_on(options->allow_insecure);
    settings->ca_file = options->s3_ca_file;
    settings->connect_timeout = CONNECT_TIMEOUT;
    settings->timeout = ctl_options_number(options->s3_timeout, TIMEOUT);
    return settings;
}

static const char *sentence_of(apr_pool_t *pool, const iimg_error_t *err)
{
    return apr_pstrcat(pool, err->message, err->detail ? " " : NULL, err->detail, NULL);
}

const char *ctl_store_open(iimg_context_t *context, const ctl_options_t *options,
                           iimg_storage_t *storage)
{
    apr_pool_t *pool = context->pool;
    const char *problem;
    iimg_error_t *err;

    storage->driver = iimg_storage_by_name(options->storage);
    storage->root = options->storage_root;
    storage->s3 = s3_settings(pool, options);
    if (!storage->driver) {
        return apr_psprintf(pool, "--storage: \"%s\" is not a storage: %s", options->storage,
                            iimg_storage_names);
    }
    problem = storage->driver->check(pool, storage);
    if (!problem && storage->driver->probe) {
        err = storage->driver->probe(context, storage);
        problem = err ? sentence_of(pool, err) : NULL;
    }
    if (!problem && storage->driver->start) {
        problem = storage->driver->start(pool, storage);
    }
    storage->guard = iimg_store_guard_create(pool);
    if (!problem && !storage->guard) {
        problem = "there is no mutex for the picture store";
    }
    return problem ? ctl_options_translate(pool, problem) : NULL;
}
