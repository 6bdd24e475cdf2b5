/* settings.c - settings: where each is kept, what it may be, what it is when unset. */
#include "server/config/settings.h"

#include <apr_strings.h>
#include "server/config/gemini.h"
#include "server/config/s3.h"
#include "server/config/value.h"
#include "services/s3/settings.h"

#define AT(field)    offsetof(iimg_config_t, field)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const iimg_config_number_t iimg_config_numbers[] = {
    [IIMG_CONFIG_MEDIA_EXPIRY] = { AT(media_expiry), 60, 604800, 3600 },
    [IIMG_CONFIG_MAX_UPLOAD] = { AT(max_upload), 1024, 104857600, 26214400 },
    [IIMG_CONFIG_MEGAPIXELS] = { AT(max_megapixels), 1, 1000, 64 },
    [IIMG_CONFIG_MEGAPIXELS_JPEG] = { AT(max_megapixels_jpeg), 1, 1000, 120 },
    [IIMG_CONFIG_REFERENCE_SIDE] = { AT(reference_side), 256, 4096, 2048 },
    [IIMG_CONFIG_GEMINI_TIMEOUT] = { AT(gemini_timeout), 1, 600, 300 },
    [IIMG_CONFIG_GEMINI_CONNECT_TIMEOUT] = { AT(gemini_connect_timeout), 1, 60, 10 },
    [IIMG_CONFIG_GEMINI_RETRIES] = { AT(gemini_retries), 0, 10, 4 },
    [IIMG_CONFIG_GEMINI_BREAKER] = { AT(gemini_breaker), 0, 1000, 6 },
    [IIMG_CONFIG_GEMINI_MAX_RESPONSE] = { AT(gemini_max_response), 1048576, 1073741824, 67108864 },
    [IIMG_CONFIG_MAX_WAITING] = { AT(max_waiting), 1, 10000, 16 },
    [IIMG_CONFIG_MAX_PARKED] = { AT(max_parked), 1, 100000, 0 },
    [IIMG_CONFIG_ENGINE_JOBS] = { AT(engine_jobs), 1, 100000, 1000 },
    [IIMG_CONFIG_ENGINE_THREADS] = { AT(engine_threads), 1, 64, 4 },
    [IIMG_CONFIG_ENGINE_MEMORY] = { AT(engine_memory), 1, 65536, 256 },
    [IIMG_CONFIG_GENERATION_QUEUE] = { AT(generation_queue), 0, 1000000, 1000 },
    [IIMG_CONFIG_GENERATION_ATTEMPTS] = { AT(generation_attempts), 1, 10, 2 },
    [IIMG_CONFIG_GENERATIONS_AT_ONCE] = { AT(generations_at_once), 0, 100000, 0 },
    [IIMG_CONFIG_GENERATIONS_PER_USER] = { AT(generations_per_user), 0, 100000, 0 },
    [IIMG_CONFIG_GENERATIONS_PER_DAY] = { AT(generations_per_day), 0, 1000000, 0 },
    [IIMG_CONFIG_DATABASE_CONNECTIONS] = { AT(database_connections), 1, 1000, 0 },
    [IIMG_CONFIG_DATABASE_WAIT] = { AT(database_wait), 10, 60000, 2000 },
    [IIMG_CONFIG_DATABASE_TIMEOUT] = { AT(database_timeout), 1, 300, 10 },
    [IIMG_CONFIG_BASIC_CACHE] = { AT(basic_cache), 0, 3600, 60 },
    [IIMG_CONFIG_SESSION_AGE] = { AT(session_age), 1, 31536000, 1209600 },
    [IIMG_CONFIG_TOKEN_AGE] = { AT(token_age), 1, 315360000, 7776000 },
    [IIMG_CONFIG_LOGIN_FAILURES] = { AT(login_failures), 1, 1000000, 10 },
    [IIMG_CONFIG_LOGIN_WINDOW] = { AT(login_window), 1, 86400, 900 },
    [IIMG_CONFIG_SWEEP_INTERVAL] = { AT(sweep_interval), 1, 86400, 60 },
    [IIMG_CONFIG_WORKERS] = { AT(workers), 1, 128, 0 },
    [IIMG_CONFIG_WORKER_WAIT] = { AT(worker_wait), 1, 120, 10 },
    [IIMG_CONFIG_WORKER_TIMEOUT] = { AT(worker_timeout), 1, 120, 15 },
    [IIMG_CONFIG_QUALITY] = { AT(derivative_quality), 30, 100, 80 },
    [IIMG_CONFIG_S3_CONNECT_TIMEOUT] = { AT(s3_connect_timeout), 1, 60, 3 },
    [IIMG_CONFIG_S3_TIMEOUT] = { AT(s3_timeout), 1, 600, 30 },
};

const iimg_config_flag_t iimg_config_flags[] = {
    [IIMG_CONFIG_PREPARE] = { AT(prepare), 1 },
    [IIMG_CONFIG_ALLOW_INSECURE] = { AT(allow_insecure), 0 },
    [IIMG_CONFIG_S3_MACHINE] = { AT(s3_machine), 0 },
    [IIMG_CONFIG_PARK_REQUESTS] = { AT(park_requests), IIMG_PARK_IF_POSSIBLE },
};

const iimg_config_text_t iimg_config_texts[] = {
    [IIMG_CONFIG_BASE_URL] = { AT(base_url), iimg_config_check_base_url, NULL },
    [IIMG_CONFIG_SECRET_FILE] = { AT(secret_file), iimg_config_check_file, NULL },
    [IIMG_CONFIG_MEDIA_PATH] = { AT(media_path), iimg_config_check_path, "/pictures" },
    [IIMG_CONFIG_STORAGE] = { AT(storage), iimg_config_check_storage, "file" },
    [IIMG_CONFIG_STORAGE_ROOT] = { AT(storage_root), iimg_config_check_file, NULL },
    [IIMG_CONFIG_GENERATOR] = { AT(generator), iimg_config_check_generator, NULL },
    [IIMG_CONFIG_GEMINI_KEY_FILE] = { AT(gemini_key_file), iimg_config_check_file, NULL },
    [IIMG_CONFIG_GEMINI_ENDPOINT] = { AT(gemini_endpoint), iimg_config_check_url,
                                      "https://generativelanguage.googleapis.com" },
    [IIMG_CONFIG_GEMINI_VERSION] = { AT(gemini_version), iimg_config_check_version, "v1beta" },
    [IIMG_CONFIG_GEMINI_MODEL] = { AT(gemini_model), iimg_config_check_model,
                                   "gemini-3-pro-image" },
    [IIMG_CONFIG_FALLBACK_MODEL] = { AT(gemini_fallback_model), iimg_config_check_model, NULL },
    [IIMG_CONFIG_GEMINI_STORE] = { AT(gemini_store), iimg_config_check_gemini_store, "off" },
    [IIMG_CONFIG_ASPECT_RATIO] = { AT(aspect_ratio), iimg_config_check_aspect_ratio, "16:9" },
    [IIMG_CONFIG_RESOLUTION] = { AT(resolution), iimg_config_check_resolution, NULL },
    [IIMG_CONFIG_SPOOL_DIR] = { AT(spool_dir), iimg_config_check_file, NULL },
    [IIMG_CONFIG_PROXY] = { AT(proxy), iimg_config_check_url, NULL },
    [IIMG_CONFIG_WORKER_PROGRAM] = { AT(worker_program), iimg_config_check_file,
                                     IIMG_WORKER_PROGRAM },
    [IIMG_CONFIG_DERIVATIVE_FORMAT] = { AT(derivative_format), iimg_config_check_derivative,
                                        "jpeg" },
    [IIMG_CONFIG_MEDIA] = { AT(media), iimg_config_check_media, "signed" },
    [IIMG_CONFIG_PUBLIC_URL] = { AT(public_url), iimg_config_check_url, NULL },
    [IIMG_CONFIG_S3_ENDPOINT] = { AT(s3_endpoint), iimg_config_check_url, NULL },
    [IIMG_CONFIG_S3_BUCKET] = { AT(s3_bucket), iimg_s3_check_bucket, NULL },
    [IIMG_CONFIG_S3_REGION] = { AT(s3_region), iimg_s3_check_region, "us-east-1" },
    [IIMG_CONFIG_S3_ADDRESSING] = { AT(s3_addressing), iimg_s3_check_addressing, "auto" },
    [IIMG_CONFIG_S3_PREFIX] = { AT(s3_prefix), iimg_s3_check_prefix, NULL },
    [IIMG_CONFIG_S3_CREDENTIALS_FILE] = { AT(s3_credentials_file), iimg_config_check_file, NULL },
    [IIMG_CONFIG_S3_CA_FILE] = { AT(s3_ca_file), iimg_config_check_file, NULL },
    [IIMG_CONFIG_S3_ENCRYPTION] = { AT(s3_encryption), iimg_s3_check_encryption, "bucket" },
    [IIMG_CONFIG_GENERATION_BUDGET] = { AT(generation_budget), iimg_config_check_dollars, "0" },
    [IIMG_CONFIG_GENERATION_COST] = { AT(generation_cost), iimg_config_check_dollars, "0.25" },
    [IIMG_CONFIG_S3_KMS_KEY] = { AT(s3_kms_key), iimg_s3_check_kms_key, NULL },
};

int *iimg_config_number_at(iimg_config_t *config, size_t offset)
{
    return (int *)((char *)config + offset);
}

const char **iimg_config_text_at(iimg_config_t *config, size_t offset)
{
    return (const char **)((char *)config + offset);
}

void *iimg_config_create(apr_pool_t *pool, server_rec *server)
{
    iimg_config_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        *iimg_config_number_at(config, iimg_config_numbers[i].offset) = -1;
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        *iimg_config_number_at(config, iimg_config_flags[i].offset) = -1;
    }
    return config;
}

static void inherit_number(iimg_config_t *config, iimg_config_t *add, size_t offset)
{
    int value = *iimg_config_number_at(add, offset);

    if (value != -1) {
        *iimg_config_number_at(config, offset) = value;
    }
}

void *iimg_config_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_config_t *base = base_, *add = add_;
    iimg_config_t *merged = apr_pmemdup(pool, base, sizeof(*merged));

    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        inherit_number(merged, add, iimg_config_numbers[i].offset);
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        inherit_number(merged, add, iimg_config_flags[i].offset);
    }
    for (size_t i = 0; i < COUNT(iimg_config_texts); i++) {
        const char *value = *iimg_config_text_at(add, iimg_config_texts[i].offset);

        if (value) {
            *iimg_config_text_at(merged, iimg_config_texts[i].offset) = value;
        }
    }
    merged->cors_origins = add->cors_origins ? add->cors_origins : base->cors_origins;
    merged->gemini_models = add->gemini_models ? add->gemini_models : base->gemini_models;
    merged->gemini_prices = add->gemini_prices ? add->gemini_prices : base->gemini_prices;
    merged->enabled = base->enabled || add->enabled;
    return merged;
}

void iimg_config_fill_defaults(iimg_config_t *config)
{
    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        int *value = iimg_config_number_at(config, iimg_config_numbers[i].offset);

        *value = *value == -1 ? iimg_config_numbers[i].otherwise : *value;
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        int *value = iimg_config_number_at(config, iimg_config_flags[i].offset);

        *value = *value == -1 ? iimg_config_flags[i].otherwise : *value;
    }
    for (size_t i = 0; i < COUNT(iimg_config_texts); i++) {
        const char **value = iimg_config_text_at(config, iimg_config_texts[i].offset);

        *value = *value ? *value : iimg_config_texts[i].otherwise;
    }
}
