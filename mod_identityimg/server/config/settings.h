/* settings.h - settings: the numbers, flags and texts that operators give, in tables. */
#ifndef IIMG_SERVER_CONFIG_SETTINGS_H
#define IIMG_SERVER_CONFIG_SETTINGS_H

#include <stddef.h>
#include "server/config/config.h"

/** A number: where it is kept, what it may be, what it is when unset. */
typedef struct iimg_config_number_t {
    size_t offset; /* in iimg_config_t */
    int min, max, otherwise;
} iimg_config_number_t;

enum {
    IIMG_CONFIG_MEDIA_EXPIRY,
    IIMG_CONFIG_MAX_UPLOAD,
    IIMG_CONFIG_MEGAPIXELS,
    IIMG_CONFIG_MEGAPIXELS_JPEG,
    IIMG_CONFIG_REFERENCE_SIDE,
    IIMG_CONFIG_GEMINI_TIMEOUT,
    IIMG_CONFIG_GEMINI_CONNECT_TIMEOUT,
    IIMG_CONFIG_MAX_WAITING,
    IIMG_CONFIG_MAX_PARKED,
    IIMG_CONFIG_ENGINE_JOBS,
    IIMG_CONFIG_ENGINE_THREADS,
    IIMG_CONFIG_ENGINE_MEMORY,
    IIMG_CONFIG_GENERATION_QUEUE,
    IIMG_CONFIG_GENERATION_ATTEMPTS,
    IIMG_CONFIG_GENERATIONS_AT_ONCE,
    IIMG_CONFIG_GENERATIONS_PER_USER,
    IIMG_CONFIG_GENERATIONS_PER_DAY,
    IIMG_CONFIG_DATABASE_CONNECTIONS,
    IIMG_CONFIG_DATABASE_WAIT,
    IIMG_CONFIG_DATABASE_TIMEOUT,
    IIMG_CONFIG_BASIC_CACHE,
    IIMG_CONFIG_SESSION_AGE,
    IIMG_CONFIG_TOKEN_AGE,
    IIMG_CONFIG_LOGIN_FAILURES,
    IIMG_CONFIG_LOGIN_WINDOW,
    IIMG_CONFIG_SWEEP_INTERVAL,
    IIMG_CONFIG_WORKERS,
    IIMG_CONFIG_WORKER_WAIT,
    IIMG_CONFIG_WORKER_TIMEOUT,
    IIMG_CONFIG_QUALITY,
    IIMG_CONFIG_S3_CONNECT_TIMEOUT,
    IIMG_CONFIG_S3_TIMEOUT,
    IIMG_CONFIG_GEMINI_RETRIES,
    IIMG_CONFIG_GEMINI_BREAKER,
    IIMG_CONFIG_GEMINI_MAX_RESPONSE
};

extern const iimg_config_number_t iimg_config_numbers[];

typedef struct iimg_config_flag_t {
    size_t offset;
    int otherwise;
} iimg_config_flag_t;

enum {
    IIMG_CONFIG_PREPARE,
    IIMG_CONFIG_ALLOW_INSECURE,
    IIMG_CONFIG_S3_MACHINE,
    IIMG_CONFIG_PARK_REQUESTS
};

extern const iimg_config_flag_t iimg_config_flags[];

typedef struct iimg_config_text_t {
    size_t offset;
    const char *(*check)(apr_pool_t *pool, const char *value); /* NULL, or what it must be */
    const char *otherwise;
} iimg_config_text_t;

enum {
    IIMG_CONFIG_BASE_URL,
    IIMG_CONFIG_SECRET_FILE,
    IIMG_CONFIG_MEDIA_PATH,
    IIMG_CONFIG_STORAGE,
    IIMG_CONFIG_STORAGE_ROOT,
    IIMG_CONFIG_GENERATOR,
    IIMG_CONFIG_GEMINI_KEY_FILE,
    IIMG_CONFIG_GEMINI_ENDPOINT,
    IIMG_CONFIG_GEMINI_VERSION,
    IIMG_CONFIG_GEMINI_MODEL,
    IIMG_CONFIG_PROXY,
    IIMG_CONFIG_MEDIA,
    IIMG_CONFIG_PUBLIC_URL,
    IIMG_CONFIG_S3_ENDPOINT,
    IIMG_CONFIG_S3_BUCKET,
    IIMG_CONFIG_S3_REGION,
    IIMG_CONFIG_S3_ADDRESSING,
    IIMG_CONFIG_S3_PREFIX,
    IIMG_CONFIG_S3_CREDENTIALS_FILE,
    IIMG_CONFIG_S3_CA_FILE,
    IIMG_CONFIG_S3_ENCRYPTION,
    IIMG_CONFIG_S3_KMS_KEY,
    IIMG_CONFIG_WORKER_PROGRAM,
    IIMG_CONFIG_DERIVATIVE_FORMAT,
    IIMG_CONFIG_GENERATION_BUDGET,
    IIMG_CONFIG_GENERATION_COST,
    IIMG_CONFIG_FALLBACK_MODEL,
    IIMG_CONFIG_ASPECT_RATIO,
    IIMG_CONFIG_RESOLUTION,
    IIMG_CONFIG_SPOOL_DIR,
    IIMG_CONFIG_GEMINI_STORE
};

extern const iimg_config_text_t iimg_config_texts[];

/** Where a number or a flag, or a text, is kept. */
int *iimg_config_number_at(iimg_config_t *config, size_t offset);
const char **iimg_config_text_at(iimg_config_t *config, size_t offset);

/** Give what is unset the value that it has then. */
void iimg_config_fill_defaults(iimg_config_t *config);

#endif
