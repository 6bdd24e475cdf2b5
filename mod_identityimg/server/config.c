/* config.c - what operators say in conf files: directives, their ranges and defaults. */
#include "server/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>
#include "base/private_file.h"
#include "server/config_gemini.h"
#include "server/config_s3.h"
#include "services/s3_value.h"

/* Settings: where each is kept, what it may be, what it is when unset -------------------------- */

typedef struct number_t {
    size_t offset;
    int min, max, otherwise;
} number_t;

enum { MEDIA_EXPIRY, MAX_UPLOAD, MEGAPIXELS, MEGAPIXELS_JPEG, REFERENCE_SIDE, GEMINI_TIMEOUT,
       GEMINI_CONNECT_TIMEOUT, MAX_WAITING, MAX_PARKED, ENGINE_JOBS, ENGINE_THREADS, ENGINE_MEMORY,
       GENERATION_QUEUE, GENERATION_ATTEMPTS, GENERATIONS_AT_ONCE, GENERATIONS_PER_USER,
       GENERATIONS_PER_DAY, DATABASE_CONNECTIONS, DATABASE_WAIT, DATABASE_TIMEOUT,
       BASIC_CACHE, SESSION_AGE, TOKEN_AGE, LOGIN_FAILURES, LOGIN_WINDOW, SWEEP_INTERVAL,
       WORKERS, WORKER_WAIT, WORKER_TIMEOUT, QUALITY, S3_CONNECT_TIMEOUT, S3_TIMEOUT,
       GEMINI_RETRIES, GEMINI_BREAKER, GEMINI_MAX_RESPONSE };

static const number_t numbers[] = {
    [MEDIA_EXPIRY] = { offsetof(iimg_config_t, media_expiry), 60, 604800, 3600 },
    [MAX_UPLOAD] = { offsetof(iimg_config_t, max_upload), 1024, 104857600, 26214400 },
    [MEGAPIXELS] = { offsetof(iimg_config_t, max_megapixels), 1, 1000, 64 },
    [MEGAPIXELS_JPEG] = { offsetof(iimg_config_t, max_megapixels_jpeg), 1, 1000, 120 },
    [REFERENCE_SIDE] = { offsetof(iimg_config_t, reference_side), 256, 4096, 2048 },
    [GEMINI_TIMEOUT] = { offsetof(iimg_config_t, gemini_timeout), 1, 600, 300 },
    [GEMINI_CONNECT_TIMEOUT] = { offsetof(iimg_config_t, gemini_connect_timeout), 1, 60, 10 },
    [GEMINI_RETRIES] = { offsetof(iimg_config_t, gemini_retries), 0, 10, 4 },
    [GEMINI_BREAKER] = { offsetof(iimg_config_t, gemini_breaker), 0, 1000, 6 },
    [GEMINI_MAX_RESPONSE] = { offsetof(iimg_config_t, gemini_max_response), 1048576, 1073741824,
                              67108864 },
    [MAX_WAITING] = { offsetof(iimg_config_t, max_waiting), 1, 10000, 16 },
    [MAX_PARKED] = { offsetof(iimg_config_t, max_parked), 1, 100000, 5000 },
    [ENGINE_JOBS] = { offsetof(iimg_config_t, engine_jobs), 1, 100000, 1000 },
    [ENGINE_THREADS] = { offsetof(iimg_config_t, engine_threads), 1, 64, 4 },
    [ENGINE_MEMORY] = { offsetof(iimg_config_t, engine_memory), 1, 65536, 256 },
    [GENERATION_QUEUE] = { offsetof(iimg_config_t, generation_queue), 0, 1000000, 1000 },
    [GENERATION_ATTEMPTS] = { offsetof(iimg_config_t, generation_attempts), 1, 10, 2 },
    [GENERATIONS_AT_ONCE] = { offsetof(iimg_config_t, generations_at_once), 0, 100000, 0 },
    [GENERATIONS_PER_USER] = { offsetof(iimg_config_t, generations_per_user), 0, 100000, 0 },
    [GENERATIONS_PER_DAY] = { offsetof(iimg_config_t, generations_per_day), 0, 1000000, 0 },
    [DATABASE_CONNECTIONS] = { offsetof(iimg_config_t, database_connections), 1, 1000, 0 },
    [DATABASE_WAIT] = { offsetof(iimg_config_t, database_wait), 10, 60000, 2000 },
    [DATABASE_TIMEOUT] = { offsetof(iimg_config_t, database_timeout), 1, 300, 10 },
    [BASIC_CACHE] = { offsetof(iimg_config_t, basic_cache), 0, 3600, 60 },
    [SESSION_AGE] = { offsetof(iimg_config_t, session_age), 1, 31536000, 1209600 },
    [TOKEN_AGE] = { offsetof(iimg_config_t, token_age), 1, 315360000, 7776000 },
    [LOGIN_FAILURES] = { offsetof(iimg_config_t, login_failures), 1, 1000000, 10 },
    [LOGIN_WINDOW] = { offsetof(iimg_config_t, login_window), 1, 86400, 900 },
    [SWEEP_INTERVAL] = { offsetof(iimg_config_t, sweep_interval), 1, 86400, 60 },
    [WORKERS] = { offsetof(iimg_config_t, workers), 1, 128, 0 },
    [WORKER_WAIT] = { offsetof(iimg_config_t, worker_wait), 1, 120, 10 },
    [WORKER_TIMEOUT] = { offsetof(iimg_config_t, worker_timeout), 1, 120, 15 },
    [QUALITY] = { offsetof(iimg_config_t, derivative_quality), 30, 100, 80 },
    [S3_CONNECT_TIMEOUT] = { offsetof(iimg_config_t, s3_connect_timeout), 1, 60, 3 },
    [S3_TIMEOUT] = { offsetof(iimg_config_t, s3_timeout), 1, 600, 30 },
};

typedef struct flag_t {
    size_t offset;
    int otherwise;
} flag_t;

enum { PREPARE, ALLOW_INSECURE, S3_MACHINE, PARK_REQUESTS };

static const flag_t flags[] = {
    [PREPARE] = { offsetof(iimg_config_t, prepare), 1 },
    [ALLOW_INSECURE] = { offsetof(iimg_config_t, allow_insecure), 0 },
    [S3_MACHINE] = { offsetof(iimg_config_t, s3_machine), 0 },
    [PARK_REQUESTS] = { offsetof(iimg_config_t, park_requests), 0 },
};

typedef struct text_t {
    size_t offset;
    const char *(*check)(apr_pool_t *pool, const char *value);  /* NULL, or what it must be */
    const char *otherwise;
} text_t;

static const char *check_base_url(apr_pool_t *pool, const char *value);
static const char *check_path(apr_pool_t *pool, const char *value);
static const char *check_storage(apr_pool_t *pool, const char *value);
static const char *check_url(apr_pool_t *pool, const char *value);
static const char *check_file(apr_pool_t *pool, const char *value);
static const char *check_derivative(apr_pool_t *pool, const char *value);

enum { BASE_URL, SECRET_FILE, MEDIA_PATH, STORAGE, STORAGE_ROOT, GENERATOR, GEMINI_KEY_FILE,
       GEMINI_ENDPOINT, GEMINI_VERSION, GEMINI_MODEL, PROXY, MEDIA, PUBLIC_URL, S3_ENDPOINT,
       S3_BUCKET, S3_REGION, S3_ADDRESSING, S3_PREFIX, S3_CREDENTIALS_FILE, S3_CA_FILE,
       S3_ENCRYPTION, S3_KMS_KEY, WORKER_PROGRAM, DERIVATIVE_FORMAT, GENERATION_BUDGET,
       GENERATION_COST, FALLBACK_MODEL, ASPECT_RATIO, RESOLUTION, SPOOL_DIR };

static const text_t texts[] = {
    [BASE_URL] = { offsetof(iimg_config_t, base_url), check_base_url, NULL },
    [SECRET_FILE] = { offsetof(iimg_config_t, secret_file), check_file, NULL },
    [MEDIA_PATH] = { offsetof(iimg_config_t, media_path), check_path, "/pictures" },
    [STORAGE] = { offsetof(iimg_config_t, storage), check_storage, "file" },
    [STORAGE_ROOT] = { offsetof(iimg_config_t, storage_root), check_file, NULL },
    [GENERATOR] = { offsetof(iimg_config_t, generator), iimg_config_check_generator, NULL },
    [GEMINI_KEY_FILE] = { offsetof(iimg_config_t, gemini_key_file), check_file, NULL },
    [GEMINI_ENDPOINT] = { offsetof(iimg_config_t, gemini_endpoint), check_url,
                          "https://generativelanguage.googleapis.com" },
    [GEMINI_VERSION] = { offsetof(iimg_config_t, gemini_version), iimg_config_check_version,
                         "v1beta" },
    [GEMINI_MODEL] = { offsetof(iimg_config_t, gemini_model), iimg_config_check_model,
                       "gemini-3-pro-image" },
    [FALLBACK_MODEL] = { offsetof(iimg_config_t, gemini_fallback_model), iimg_config_check_model,
                         NULL },
    [ASPECT_RATIO] = { offsetof(iimg_config_t, aspect_ratio), iimg_config_check_aspect_ratio,
                       "16:9" },
    [RESOLUTION] = { offsetof(iimg_config_t, resolution), iimg_config_check_resolution, "4K" },
    [SPOOL_DIR] = { offsetof(iimg_config_t, spool_dir), check_file, NULL },
    [PROXY] = { offsetof(iimg_config_t, proxy), check_url, NULL },
    [WORKER_PROGRAM] = { offsetof(iimg_config_t, worker_program), check_file,
                         IIMG_WORKER_PROGRAM },
    [DERIVATIVE_FORMAT] = { offsetof(iimg_config_t, derivative_format), check_derivative, "jpeg" },
    [MEDIA] = { offsetof(iimg_config_t, media), iimg_config_check_media, "signed" },
    [PUBLIC_URL] = { offsetof(iimg_config_t, public_url), check_url, NULL },
    [S3_ENDPOINT] = { offsetof(iimg_config_t, s3_endpoint), check_url, NULL },
    [S3_BUCKET] = { offsetof(iimg_config_t, s3_bucket), iimg_s3_check_bucket, NULL },
    [S3_REGION] = { offsetof(iimg_config_t, s3_region), iimg_s3_check_region, "us-east-1" },
    [S3_ADDRESSING] = { offsetof(iimg_config_t, s3_addressing), iimg_s3_check_addressing,
                        "auto" },
    [S3_PREFIX] = { offsetof(iimg_config_t, s3_prefix), iimg_s3_check_prefix, NULL },
    [S3_CREDENTIALS_FILE] = { offsetof(iimg_config_t, s3_credentials_file), check_file, NULL },
    [S3_CA_FILE] = { offsetof(iimg_config_t, s3_ca_file), check_file, NULL },
    [S3_ENCRYPTION] = { offsetof(iimg_config_t, s3_encryption), iimg_s3_check_encryption,
                        "bucket" },
    [GENERATION_BUDGET] = { offsetof(iimg_config_t, generation_budget), iimg_config_check_dollars, "0" },
    [GENERATION_COST] = { offsetof(iimg_config_t, generation_cost), iimg_config_check_dollars, "0.25" },
    [S3_KMS_KEY] = { offsetof(iimg_config_t, s3_kms_key), iimg_s3_check_kms_key, NULL },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int *number_at(iimg_config_t *config, size_t offset)
{
    return (int *)((char *)config + offset);
}

static const char **text_at(iimg_config_t *config, size_t offset)
{
    return (const char **)((char *)config + offset);
}

/* Create, merge ------------------------------------------------------------------------------- */

void *iimg_config_create(apr_pool_t *pool, server_rec *server)
{
    iimg_config_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        *number_at(config, numbers[i].offset) = -1;
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        *number_at(config, flags[i].offset) = -1;
    }
    return config;
}

void *iimg_config_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_config_t *base = base_, *add = add_;
    iimg_config_t *merged = apr_pmemdup(pool, base, sizeof(*merged));

    for (size_t i = 0; i < COUNT(numbers); i++) {
        int value = *number_at(add, numbers[i].offset);

        *number_at(merged, numbers[i].offset) =
            value != -1 ? value : *number_at(base, numbers[i].offset);
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        int value = *number_at(add, flags[i].offset);

        *number_at(merged, flags[i].offset) =
            value != -1 ? value : *number_at(base, flags[i].offset);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *value = *text_at(add, texts[i].offset);

        *text_at(merged, texts[i].offset) = value ? value : *text_at(base, texts[i].offset);
    }
    merged->cors_origins = add->cors_origins ? add->cors_origins : base->cors_origins;
    merged->gemini_models = add->gemini_models ? add->gemini_models : base->gemini_models;
    merged->gemini_prices = add->gemini_prices ? add->gemini_prices : base->gemini_prices;
    merged->enabled = base->enabled || add->enabled;
    return merged;
}

void *iimg_location_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(iimg_location_t));
}

void *iimg_location_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_location_t *base = base_, *add = add_;

    (void)pool;
    return add->use != IIMG_LOCATION_UNSET ? add : base;
}

/* Directives ---------------------------------------------------------------------------------- */

/* Reads a whole number to its end. @return false when it is none or out of range */
static bool read_number(const char *text, const number_t *number, int *value)
{
    apr_int64_t n;
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    n = apr_strtoi64(text, &end, 10);
    if (*end != '\0' || n < number->min || n > number->max) {
        return false;
    }
    *value = (int)n;
    return true;
}

static const char *store_number(cmd_parms *cmd, const number_t *number, const char *arg)
{
    iimg_config_t *config = iimg_config_of(cmd->server);

    if (!read_number(arg, number, number_at(config, number->offset))) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not a number from %d to %d",
                            cmd->cmd->name, arg, number->min, number->max);
    }
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return store_number(cmd, cmd->info, arg);
}

/* The worker serves all of httpd. */
static const char *set_main_number(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *problem = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return problem ? problem : set_number(cmd, unused, arg);
}

static const char *set_megapixels(cmd_parms *cmd, void *unused, const char *all, const char *jpeg)
{
    const char *problem = store_number(cmd, &numbers[MEGAPIXELS], all);

    (void)unused;
    return !problem && jpeg ? store_number(cmd, &numbers[MEGAPIXELS_JPEG], jpeg) : problem;
}

static const char *set_flag(cmd_parms *cmd, void *unused, int on)
{
    const flag_t *flag = cmd->info;

    (void)unused;
    *number_at(iimg_config_of(cmd->server), flag->offset) = on;
    return NULL;
}

static const char *set_text(cmd_parms *cmd, void *unused, const char *arg)
{
    const text_t *text = cmd->info;
    const char *problem = text->check(cmd->pool, arg);

    (void)unused;
    if (problem) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not %s", cmd->cmd->name, arg, problem);
    }
    *text_at(iimg_config_of(cmd->server), text->offset) = arg;
    return NULL;
}

static const char *set_main_text(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *problem = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return problem ? problem : set_text(cmd, unused, arg);
}

static const char *add_origin(cmd_parms *cmd, void *unused, const char *arg)
{
    iimg_config_t *config = iimg_config_of(cmd->server);
    const char *problem = check_base_url(cmd->pool, arg);

    (void)unused;
    if (problem) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not %s", cmd->cmd->name, arg, problem);
    }
    if (!config->cors_origins) {
        config->cors_origins = apr_array_make(cmd->pool, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(config->cors_origins, const char *) = arg;
    return NULL;
}

static const struct { const char *word; iimg_location_use_t use; } uses[] = {
    { "on", IIMG_LOCATION_API }, { "off", IIMG_LOCATION_OFF }, { "errors", IIMG_LOCATION_ERRORS },
};

static const char *without_slash(apr_pool_t *pool, const char *path)
{
    size_t n = strlen(path);

    return apr_pstrmemdup(pool, path, path[n - 1] == '/' ? n - 1 : n);
}

/* What a request's path begins with is a path only where no pattern is: routes are behind it. */
static bool is_plain(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;

    while (section && strncasecmp(section->directive, "<Location", strlen("<Location")) != 0) {
        section = section->parent;
    }
    return cmd->path && cmd->path[0] == '/' && !apr_fnmatch_test(cmd->path) && section
           && strcasecmp(section->directive, "<Location") == 0
           && section->args[strspn(section->args, " \t\"")] != '~';
}

static const char *set_use(cmd_parms *cmd, void *location_, const char *arg)
{
    iimg_location_t *location = location_;

    if (ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES) || !is_plain(cmd)) {
        return apr_psprintf(cmd->pool, "%s: stands in a <Location \"/...\"> section only, "
                            "without wildcards", cmd->cmd->name);
    }
    for (size_t i = 0; i < COUNT(uses); i++) {
        if (strcasecmp(uses[i].word, arg) == 0) {
            location->use = uses[i].use;
            location->base = without_slash(cmd->pool, cmd->path);
            iimg_config_of(cmd->server)->enabled |= location->use == IIMG_LOCATION_API;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s: \"%s\" is not on, off or errors", cmd->cmd->name, arg);
}

#define NUMBER(name, row, help) \
    AP_INIT_TAKE1(name, set_number, (void *)&numbers[row], RSRC_CONF, help)
#define TEXT(name, row, help) \
    AP_INIT_TAKE1(name, set_text, (void *)&texts[row], RSRC_CONF, help)
#define FLAG(name, row, help) \
    AP_INIT_FLAG(name, set_flag, (void *)&flags[row], RSRC_CONF, help)

const command_rec iimg_config_commands[] = {
    AP_INIT_TAKE1("IdentityImg", set_use, NULL, ACCESS_CONF,
                  "what this Location is for: on (the API), errors, or off"),
    TEXT("IdentityImgBaseURL", BASE_URL, "scheme and host that absolute URLs begin with"),
    AP_INIT_ITERATE("IdentityImgCorsOrigin", add_origin, NULL, RSRC_CONF,
                    "origins whose pages may use the API"),
    TEXT("IdentityImgSecretFile", SECRET_FILE, "file with the keys that sign picture URLs"),
    TEXT("IdentityImgMediaPath", MEDIA_PATH, "path that pictures are served below"),
    NUMBER("IdentityImgMediaExpiry", MEDIA_EXPIRY, "seconds that a picture's URL is good for"),
    NUMBER("IdentityImgMaxUpload", MAX_UPLOAD, "most bytes of an uploaded picture"),
    AP_INIT_TAKE12("IdentityImgMaxPixels", set_megapixels, NULL, RSRC_CONF,
                   "most megapixels of a picture, and of a baseline JPEG"),
    AP_INIT_TAKE1("IdentityImgWorkerProgram", set_main_text, (void *)&texts[WORKER_PROGRAM],
                  RSRC_CONF, "program that decodes pictures"),
    AP_INIT_TAKE1("IdentityImgWorkers", set_main_number, (void *)&numbers[WORKERS], RSRC_CONF,
                  "most pictures that are decoded at once"),
    NUMBER("IdentityImgWorkerWait", WORKER_WAIT, "seconds that a picture waits for its turn"),
    NUMBER("IdentityImgWorkerTimeout", WORKER_TIMEOUT, "seconds that decoding a picture may take"),
    TEXT("IdentityImgDerivativeFormat", DERIVATIVE_FORMAT,
         "format of pictures' smaller sizes: jpeg or webp"),
    NUMBER("IdentityImgDerivativeQuality", QUALITY, "quality of pictures' smaller sizes"),
    TEXT("IdentityImgMedia", MEDIA, "who may open pictures' addresses: signed or public"),
    TEXT("IdentityImgMediaPublicURL", PUBLIC_URL, "what public addresses of pictures begin with"),
    TEXT("IdentityImgStorage", STORAGE, "kind of store for pictures: file or s3"),
    TEXT("IdentityImgStorageRoot", STORAGE_ROOT, "directory of the store \"file\""),
    TEXT("IdentityImgS3Endpoint", S3_ENDPOINT, "base URL of the store \"s3\""),
    TEXT("IdentityImgS3Bucket", S3_BUCKET, "bucket of the store \"s3\""),
    TEXT("IdentityImgS3Region", S3_REGION, "region of the bucket"),
    TEXT("IdentityImgS3Addressing", S3_ADDRESSING,
         "where the bucket's name stands in addresses: auto, path or virtual"),
    TEXT("IdentityImgS3Prefix", S3_PREFIX, "what our objects' names in the bucket begin with"),
    TEXT("IdentityImgS3CredentialsFile", S3_CREDENTIALS_FILE,
         "file with the access key and secret key of the store \"s3\""),
    FLAG("IdentityImgS3MachineCredentials", S3_MACHINE,
         "whether the container or virtual machine may be asked for credentials"),
    TEXT("IdentityImgS3CAFile", S3_CA_FILE,
         "PEM file of the CAs that sign the store's certificate"),
    TEXT("IdentityImgS3Encryption", S3_ENCRYPTION,
         "how the store encrypts objects: bucket, AES256 or aws:kms"),
    TEXT("IdentityImgS3KMSKey", S3_KMS_KEY, "key of the store's KMS that encrypts objects"),
    NUMBER("IdentityImgS3ConnectTimeout", S3_CONNECT_TIMEOUT,
           "seconds to wait for a connection to the store"),
    NUMBER("IdentityImgS3Timeout", S3_TIMEOUT,
           "seconds to wait for the store in all, with retries"),
    TEXT("IdentityImgGenerator", GENERATOR, "what makes identity pictures: gemini or preview"),
    TEXT("IdentityImgGeminiKeyFile", GEMINI_KEY_FILE, "file with the key of the Gemini API"),
    TEXT("IdentityImgGeminiEndpoint", GEMINI_ENDPOINT, "base URL of the Gemini API"),
    TEXT("IdentityImgGeminiVersion", GEMINI_VERSION, "version in the Gemini API's path"),
    TEXT("IdentityImgGeminiModel", GEMINI_MODEL, "model that is asked by default"),
    AP_INIT_ITERATE("IdentityImgGeminiModels", iimg_config_add_model, NULL, RSRC_CONF,
                    "models that requests may choose beside the default"),
    TEXT("IdentityImgGeminiFallbackModel", FALLBACK_MODEL,
         "model that is asked when the wanted one is gone or overloaded"),
    AP_INIT_TAKE3("IdentityImgGeminiPrice", iimg_config_add_price, NULL, RSRC_CONF,
                  "a model, a resolution, and what a picture of it costs in US dollars"),
    TEXT("IdentityImgAspectRatio", ASPECT_RATIO, "aspect ratio of requests that name none"),
    TEXT("IdentityImgResolution", RESOLUTION, "resolution of requests that name none"),
    NUMBER("IdentityImgGeminiTimeout", GEMINI_TIMEOUT,
           "seconds to wait for a generated image in all, with retries"),
    NUMBER("IdentityImgGeminiRetries", GEMINI_RETRIES,
           "most calls for a picture after the first one that fails"),
    NUMBER("IdentityImgGeminiBreaker", GEMINI_BREAKER,
           "overloaded answers in a row until the Gemini API is left alone, or 0 for never"),
    NUMBER("IdentityImgGeminiMaxResponse", GEMINI_MAX_RESPONSE,
           "most bytes of the Gemini API's answer"),
    TEXT("IdentityImgSpoolDir", SPOOL_DIR, "directory for the provider's answers while they come"),
    NUMBER("IdentityImgGeminiConnectTimeout", GEMINI_CONNECT_TIMEOUT,
           "seconds to wait for a connection to the Gemini API"),
    TEXT("IdentityImgProxy", PROXY, "URL of the proxy for requests to providers"),
    FLAG("IdentityImgAllowInsecureEndpoint", ALLOW_INSECURE,
         "whether providers may be reached by plain http beyond this machine"),
    NUMBER("IdentityImgReferenceSide", REFERENCE_SIDE,
           "most pixels of the longer side of a reference sent to a provider"),
    NUMBER("IdentityImgMaxWaiting", MAX_WAITING,
           "most requests that wait for a generation at once in a child process"),
    FLAG("IdentityImgParkRequests", PARK_REQUESTS,
         "whether requests that wait for a generation are held without a thread"),
    NUMBER("IdentityImgMaxParked", MAX_PARKED,
           "most requests that wait without a thread at once in a child process"),
    NUMBER("IdentityImgEngineJobs", ENGINE_JOBS,
           "most generations that a child process runs at once"),
    NUMBER("IdentityImgEngineThreads", ENGINE_THREADS,
           "most threads of a child process that prepare and store generations"),
    NUMBER("IdentityImgEngineMemory", ENGINE_MEMORY,
           "megabytes of photos that running generations of a child process may hold"),
    NUMBER("IdentityImgGenerationQueue", GENERATION_QUEUE,
           "most generations that wait their turn, 0 to refuse what cannot be run at once"),
    NUMBER("IdentityImgGenerationAttempts", GENERATION_ATTEMPTS,
           "how often a generation is begun whose process dies"),
    NUMBER("IdentityImgGenerationsAtOnce", GENERATIONS_AT_ONCE,
           "most generations at once on all machines, 0 for any number"),
    NUMBER("IdentityImgGenerationsPerUser", GENERATIONS_PER_USER,
           "most generations at once that one user has asked for, 0 for any number"),
    NUMBER("IdentityImgGenerationsPerDay", GENERATIONS_PER_DAY,
           "most generations of one user in 24 hours, 0 for any number"),
    TEXT("IdentityImgGenerationBudget", GENERATION_BUDGET,
         "most dollars for generations in 24 hours, 0 for any amount"),
    TEXT("IdentityImgGenerationCost", GENERATION_COST,
         "dollars that a generation counts as long as its cost is unknown"),
    NUMBER("IdentityImgDatabaseConnections", DATABASE_CONNECTIONS,
           "most database connections that the API uses at once in a child process"),
    NUMBER("IdentityImgDatabaseWait", DATABASE_WAIT,
           "milliseconds to wait for a free database connection"),
    NUMBER("IdentityImgDatabaseTimeout", DATABASE_TIMEOUT,
           "seconds to wait for the database's answer to one statement"),
    FLAG("IdentityImgPrepare", PREPARE, "whether statements are prepared by name"),
    NUMBER("IdentityImgBasicCacheTime", BASIC_CACHE,
           "seconds that verified Basic credentials are remembered"),
    NUMBER("IdentityImgSessionAge", SESSION_AGE, "seconds that a session lives"),
    NUMBER("IdentityImgTokenAge", TOKEN_AGE, "seconds that a bearer token lives"),
    NUMBER("IdentityImgLoginFailures", LOGIN_FAILURES,
           "failed logins of an account from an address until it has to wait"),
    NUMBER("IdentityImgLoginWindow", LOGIN_WINDOW,
           "seconds from the first failed login until they are forgotten"),
    NUMBER("IdentityImgSweepInterval", SWEEP_INTERVAL,
           "seconds between two sweeps of the picture store"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL },
};

/* Checks of single values --------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *check_url(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return (begins(value, "https://") || begins(value, "http://")) && strlen(value) > 10
               && !strpbrk(value, " \"<>")
           ? NULL : "a URL that begins with https:// or http://";
}

static const char *check_base_url(apr_pool_t *pool, const char *value)
{
    const char *host = strstr(value, "://");

    return check_url(pool, value) == NULL && host && !strpbrk(host + 3, "/?#")
           ? NULL : "scheme and host alone, such as https://api.example.com";
}

static const char *check_path(apr_pool_t *pool, const char *value)
{
    size_t n = strlen(value);

    (void)pool;
    return value[0] == '/' && n > 1 && value[n - 1] != '/' && !strpbrk(value, "?#%\" ")
               && !strstr(value, "//") && !strstr(value, "/.")
           ? NULL : "a path such as /pictures, without a slash at its end";
}

static const char *check_file(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return value[0] == '/' ? NULL : "an absolute path";
}

static const char *check_storage(apr_pool_t *pool, const char *value)
{
    return iimg_storage_by_name(value)
           ? NULL : apr_pstrcat(pool, "a storage: ", iimg_storage_names, NULL);
}

static const char *check_derivative(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "jpeg") == 0 || strcmp(value, "webp") == 0
           ? NULL : "a format: jpeg, webp";
}

/* Finish -------------------------------------------------------------------------------------- */

static void fill_defaults(iimg_config_t *config)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        int *value = number_at(config, numbers[i].offset);

        *value = *value == -1 ? numbers[i].otherwise : *value;
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        int *value = number_at(config, flags[i].offset);

        *value = *value == -1 ? flags[i].otherwise : *value;
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char **value = text_at(config, texts[i].offset);

        *value = *value ? *value : texts[i].otherwise;
    }
}

static const char *finish_media(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config)
{
    const char *text, *problem;

    if (!config->secret_file) {
        return "IdentityImgSecretFile: is missing; name a file with one line, \"1 <64 hexadecimal "
               "digits>\", readable by its owner alone";
    }
    problem = iimg_private_file_read(temporary, config->secret_file, &text);
    if (!problem) {
        config->services.media = iimg_media_create(pool, text, config->media_path,
                                                   config->media_expiry, &problem);
    }
    return problem ? apr_psprintf(pool, "IdentityImgSecretFile: \"%s\" %s", config->secret_file,
                                  problem)
                   : NULL;
}

static void finish_limits(iimg_config_t *config)
{
    config->services.generation_limits = (iimg_generation_limits_t){
        config->generations_at_once, config->generations_per_user, config->generation_queue,
        config->generations_per_day,
        atof(config->generation_budget) > 0 ? config->generation_budget : NULL,
        config->generation_cost
    };
}

static const char *finish_storage(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_storage_t *storage = &config->services.storage;
    const char *problem;

    storage->driver = iimg_storage_by_name(config->storage);
    storage->root = config->storage_root;
    problem = iimg_config_s3_finish(pool, config);
    if (!problem && storage->driver->path && strcmp(config->media, "public") == 0) {
        problem = apr_psprintf(pool, "IdentityImgMedia: public is for stores that serve pictures "
                               "themselves, not for the storage \"%s\"", config->storage);
    }
    return problem ? problem : storage->driver->check(pool, storage);
}

/* How pictures are decoded; the socket is known when there is a worker. */
static const char *finish_pictures(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_image_settings_t *pictures = &config->services.pictures;

    if (access(config->worker_program, X_OK) != 0) {
        return apr_psprintf(pool, "IdentityImgWorkerProgram: \"%s\" cannot be run: %s",
                            config->worker_program, strerror(errno));
    }
    if (config->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        config->workers = cores < 1 ? 1 : cores > 128 ? 128 : (int)cores;
    }
    pictures->limits.max_pixels = (apr_size_t)config->max_megapixels * 1000000;
    pictures->limits.max_pixels_jpeg = (apr_size_t)config->max_megapixels_jpeg * 1000000;
    pictures->derivative_format = strcmp(config->derivative_format, "webp") == 0
                                      ? IIMG_FORMAT_WEBP : IIMG_FORMAT_JPEG;
    pictures->derivative_quality = config->derivative_quality;
    pictures->worker = (iimg_picture_worker_t){ -1, config->worker_wait * 1000,
                                                config->worker_timeout * 1000 };
    return NULL;
}

const char *iimg_config_finish(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config)
{
    iimg_services_t *services = &config->services;
    const char *problem;

    fill_defaults(config);
    if (!config->enabled) {
        return NULL;
    }
    services->reference_side = config->reference_side;
    services->max_object = 128 * 1024 * 1024;
    services->owner = "";       /* each child names itself */
    finish_limits(config);
    problem = finish_media(pool, temporary, config);
    if (!problem) {
        problem = finish_storage(pool, config);
    }
    if (!problem) {
        problem = finish_pictures(pool, config);
    }
    return problem ? problem : iimg_config_gemini_finish(pool, temporary, config);
}

/* Looking up ---------------------------------------------------------------------------------- */

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &identityimg_module);
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &identityimg_module);
}
