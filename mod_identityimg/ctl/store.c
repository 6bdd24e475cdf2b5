/* store.c - the picture store of identityimgctl. */
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

/* Check that the store answers, and start it. @return NULL, or a sentence about directives */
static const char *start_store(iimg_context_t *context, iimg_storage_t *storage)
{
    const iimg_storage_driver_t *driver = storage->driver;
    const char *problem = driver->check(context->pool, storage);
    iimg_error_t *err;

    if (problem) {
        return problem;
    }
    err = driver->probe ? driver->probe(context, storage) : NULL;
    if (err) {
        return apr_pstrcat(context->pool, err->message, err->detail ? " " : NULL, err->detail,
                           NULL);
    }
    problem = driver->start ? driver->start(context->pool, storage) : NULL;
    if (problem) {
        return problem;
    }
    storage->guard = iimg_store_guard_create(context->pool);
    return storage->guard ? NULL : "cannot create a mutex for the picture store";
}

const char *ctl_store_open(iimg_context_t *context, const ctl_options_t *options,
                           iimg_storage_t *storage)
{
    apr_pool_t *pool = context->pool;
    const char *problem;

    storage->driver = iimg_storage_by_name(options->storage);
    storage->root = options->storage_root;
    storage->s3 = s3_settings(pool, options);
    if (!storage->driver) {
        return apr_psprintf(pool, "--storage: \"%s\" is not a storage: %s", options->storage,
                            iimg_storage_names);
    }
    problem = start_store(context, storage);
    return problem ? ctl_options_translate(pool, problem) : NULL;
}
