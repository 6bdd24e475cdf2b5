/* settings.h - the numbers, flags and texts that directives set: one row for each. */
#ifndef IIMG_SERVER_CONFIG_SETTINGS_H
#define IIMG_SERVER_CONFIG_SETTINGS_H

#include <stddef.h>
#include "server/config/config.h"

/* A row makes the index IIMG_CONFIG_<ROW> for commands.c, and has its value created, merged and
 * defaulted. */

/* clang-format off */

/** X(ROW, field of iimg_config_t, minimum, maximum, default). A default below the minimum stands for
 * "computed at start". */
#define IIMG_CONFIG_NUMBERS(X) \
    X(MEDIA_EXPIRY, media_expiry, 60, 604800, 3600) \
    X(MAX_UPLOAD, max_upload, 1024, 104857600, 26214400) \
    X(MEGAPIXELS, max_megapixels, 1, 1000, 64) \
    X(MEGAPIXELS_JPEG, max_megapixels_jpeg, 1, 1000, 120) \
    X(REFERENCE_SIDE, reference_side, 256, 4096, 2048) \
    X(GEMINI_TIMEOUT, gemini_timeout, 1, 600, 300) \
    X(GEMINI_CONNECT_TIMEOUT, gemini_connect_timeout, 1, 60, 10) \
    X(MAX_WAITING, max_waiting, 1, 10000, 16) \
    X(MAX_PARKED, max_parked, 1, 100000, 0) \
    X(ENGINE_JOBS, engine_jobs, 1, 100000, 1000) \
    X(ENGINE_THREADS, engine_threads, 1, 64, 4) \
    X(ENGINE_MEMORY, engine_memory, 1, 65536, 256) \
    X(GENERATION_QUEUE, generation_queue, 0, 1000000, 1000) \
    X(GENERATION_ATTEMPTS, generation_attempts, 1, 10, 2) \
    X(GENERATIONS_AT_ONCE, generations_at_once, 0, 100000, 0) \
    X(GENERATIONS_PER_USER, generations_per_user, 0, 100000, 0) \
    X(GENERATIONS_PER_DAY, generations_per_day, 0, 1000000, 0) \
    X(DATABASE_CONNECTIONS, database_connections, 1, 1000, 0) \
    X(DATABASE_WAIT, database_wait, 10, 60000, 2000) \
    X(DATABASE_TIMEOUT, database_timeout, 1, 300, 10) \
    X(BASIC_CACHE, basic_cache, 0, 3600, 60) \
    X(SESSION_AGE, session_age, 1, 31536000, 1209600) \
    X(TOKEN_AGE, token_age, 1, 315360000, 7776000) \
    X(LOGIN_FAILURES, login_failures, 1, 1000000, 10) \
    X(LOGIN_WINDOW, login_window, 1, 86400, 900) \
    X(SWEEP_INTERVAL, sweep_interval, 1, 86400, 60) \
    X(WORKERS, workers, 1, 128, 0) \
    X(WORKER_WAIT, worker_wait, 1, 120, 10) \
    X(WORKER_TIMEOUT, worker_timeout, 1, 120, 15) \
    X(QUALITY, derivative_quality, 30, 100, 80) \
    X(S3_CONNECT_TIMEOUT, s3_connect_timeout, 1, 60, 3) \
    X(S3_TIMEOUT, s3_timeout, 1, 600, 30) \
    X(GEMINI_RETRIES, gemini_retries, 0, 10, 4) \
    X(GEMINI_BREAKER, gemini_breaker, 0, 1000, 6) \
    X(GEMINI_MAX_RESPONSE, gemini_max_response, 1048576, 1073741824, 67108864)

/** X(ROW, field, default) */
#define IIMG_CONFIG_FLAGS(X) \
    X(PREPARE, prepare, 1) \
    X(ALLOW_INSECURE, allow_insecure, 0) \
    X(S3_MACHINE, s3_machine, 0) \
    X(PARK_REQUESTS, park_requests, IIMG_PARK_IF_POSSIBLE)

/** X(ROW, field, check of one value, default). The check returns NULL, or what the value must be. */
#define IIMG_CONFIG_TEXTS(X) \
    X(BASE_URL, base_url, iimg_config_check_base_url, NULL) \
    X(SECRET_FILE, secret_file, iimg_config_check_file, NULL) \
    X(MEDIA_PATH, media_path, iimg_config_check_path, "/pictures") \
    X(STORAGE, storage, iimg_config_check_storage, "file") \
    X(STORAGE_ROOT, storage_root, iimg_config_check_file, NULL) \
    X(GENERATOR, generator, iimg_config_check_generator, NULL) \
    X(GEMINI_KEY_FILE, gemini_key_file, iimg_config_check_file, NULL) \
    X(GEMINI_ENDPOINT, gemini_endpoint, iimg_config_check_url, "https://generativelanguage.googleapis.com") \
    X(GEMINI_VERSION, gemini_version, iimg_config_check_version, "v1beta") \
    X(GEMINI_MODEL, gemini_model, iimg_config_check_model, "gemini-3-pro-image") \
    X(PROXY, proxy, iimg_config_check_url, NULL) \
    X(MEDIA, media, iimg_config_check_media, "signed") \
    X(PUBLIC_URL, public_url, iimg_config_check_url, NULL) \
    X(S3_ENDPOINT, s3_endpoint, iimg_config_check_url, NULL) \
    X(S3_BUCKET, s3_bucket, iimg_s3_check_bucket, NULL) \
    X(S3_REGION, s3_region, iimg_s3_check_region, "us-east-1") \
    X(S3_ADDRESSING, s3_addressing, iimg_s3_check_addressing, "auto") \
    X(S3_PREFIX, s3_prefix, iimg_s3_check_prefix, NULL) \
    X(S3_CREDENTIALS_FILE, s3_credentials_file, iimg_config_check_file, NULL) \
    X(S3_CA_FILE, s3_ca_file, iimg_config_check_file, NULL) \
    X(S3_ENCRYPTION, s3_encryption, iimg_s3_check_encryption, "bucket") \
    X(S3_KMS_KEY, s3_kms_key, iimg_s3_check_kms_key, NULL) \
    X(WORKER_PROGRAM, worker_program, iimg_config_check_file, IIMG_WORKER_PROGRAM) \
    X(DERIVATIVE_FORMAT, derivative_format, iimg_config_check_derivative, "jpeg") \
    X(GENERATION_BUDGET, generation_budget, iimg_config_check_dollars, "0") \
    X(GENERATION_COST, generation_cost, iimg_config_check_dollars, "0.25") \
    X(FALLBACK_MODEL, gemini_fallback_model, iimg_config_check_model, NULL) \
    X(ASPECT_RATIO, aspect_ratio, iimg_config_check_aspect_ratio, "16:9") \
    X(RESOLUTION, resolution, iimg_config_check_resolution, NULL) \
    X(SPOOL_DIR, spool_dir, iimg_config_check_file, NULL) \
    X(GEMINI_STORE, gemini_store, iimg_config_check_gemini_store, "off")

/* clang-format on */

#define IIMG_CONFIG_INDEX(row, ...) IIMG_CONFIG_##row,

enum {
    IIMG_CONFIG_NUMBERS(IIMG_CONFIG_INDEX)
};

enum {
    IIMG_CONFIG_FLAGS(IIMG_CONFIG_INDEX)
};

enum {
    IIMG_CONFIG_TEXTS(IIMG_CONFIG_INDEX)
};

typedef struct iimg_config_number_t {
    size_t offset; /* in iimg_config_t */
    int min, max, preset;
} iimg_config_number_t;

typedef struct iimg_config_flag_t {
    size_t offset;
    int preset;
} iimg_config_flag_t;

typedef struct iimg_config_text_t {
    size_t offset;
    const char *(*check)(apr_pool_t *pool, const char *value);
    const char *preset;
} iimg_config_text_t;

extern const iimg_config_number_t iimg_config_numbers[];
extern const iimg_config_flag_t iimg_config_flags[];
extern const iimg_config_text_t iimg_config_texts[];

int *iimg_config_number_at(iimg_config_t *config, size_t offset);
const char **iimg_config_text_at(iimg_config_t *config, size_t offset);

/** httpd's functions for a server's configuration. */
void *iimg_config_create(apr_pool_t *pool, server_rec *server);
void *iimg_config_merge(apr_pool_t *pool, void *base, void *add);

/** Give unset values their defaults, once all directives are read. */
void iimg_config_fill_defaults(iimg_config_t *config);

#endif
