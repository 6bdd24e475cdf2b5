/* commands.c - the directives: how each is parsed, and the help that httpd shows. */
#include "server/config/commands.h"

#include <string.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>
#include "server/config/config.h"
#include "server/config/gemini.h"
#include "server/config/settings.h"
#include "server/config/value.h"

#define NUMBER_ROW(row) ((void *)&iimg_config_numbers[IIMG_CONFIG_##row])
#define TEXT_ROW(row)   ((void *)&iimg_config_texts[IIMG_CONFIG_##row])
#define FLAG_ROW(row)   ((void *)&iimg_config_flags[IIMG_CONFIG_##row])

/* @return false when text is not a number, or out of range */
static bool read_number(const char *text, const iimg_config_number_t *number, int *value)
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

static const char *store_number(cmd_parms *cmd, const iimg_config_number_t *number, const char *arg)
{
    iimg_config_t *config = iimg_config_of(cmd->server);

    if (!read_number(arg, number, iimg_config_number_at(config, number->offset))) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not a number from %d to %d", cmd->cmd->name,
                            arg, number->min, number->max);
    }
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return store_number(cmd, cmd->info, arg);
}

/* One worker serves all virtual hosts. */
static const char *set_main_number(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *problem = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (problem) {
        return problem;
    }
    return set_number(cmd, unused, arg);
}

static const char *set_megapixels(cmd_parms *cmd, void *unused, const char *all, const char *jpeg)
{
    const char *problem = store_number(cmd, NUMBER_ROW(MEGAPIXELS), all);

    (void)unused;
    if (problem || !jpeg) {
        return problem;
    }
    return store_number(cmd, NUMBER_ROW(MEGAPIXELS_JPEG), jpeg);
}

static const char *set_flag(cmd_parms *cmd, void *unused, int on)
{
    const iimg_config_flag_t *flag = cmd->info;

    (void)unused;
    *iimg_config_number_at(iimg_config_of(cmd->server), flag->offset) = on;
    return NULL;
}

static const char *set_text(cmd_parms *cmd, void *unused, const char *arg)
{
    const iimg_config_text_t *text = cmd->info;
    const char *problem = text->check(cmd->pool, arg);

    (void)unused;
    if (problem) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not %s", cmd->cmd->name, arg, problem);
    }
    *iimg_config_text_at(iimg_config_of(cmd->server), text->offset) = arg;
    return NULL;
}

static const char *set_main_text(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *problem = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (problem) {
        return problem;
    }
    return set_text(cmd, unused, arg);
}

static const char *add_origin(cmd_parms *cmd, void *unused, const char *arg)
{
    iimg_config_t *config = iimg_config_of(cmd->server);
    const char *problem = iimg_config_check_base_url(cmd->pool, arg);

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

static const struct {
    const char *word;
    iimg_location_use_t use;
} uses[] = {
    { "on", IIMG_LOCATION_API },
    { "off", IIMG_LOCATION_OFF },
    { "errors", IIMG_LOCATION_ERRORS },
};

static const char *without_slash(apr_pool_t *pool, const char *path)
{
    size_t n = strlen(path);

    return apr_pstrmemdup(pool, path, path[n - 1] == '/' ? n - 1 : n);
}

/* Routes are matched behind the Location's path: it must not be a pattern. */
static bool has_plain_path(const cmd_parms *cmd)
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

    if (ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES) || !has_plain_path(cmd)) {
        return apr_psprintf(cmd->pool,
                            "%s: is in a section other than <Location \"/...\">; move it into one "
                            "without wildcards",
                            cmd->cmd->name);
    }
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (strcasecmp(uses[i].word, arg) == 0) {
            location->use = uses[i].use;
            location->base = without_slash(cmd->pool, cmd->path);
            iimg_config_of(cmd->server)->enabled |= location->use == IIMG_LOCATION_API;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s: \"%s\" is not on, off or errors", cmd->cmd->name, arg);
}

#define NUMBER(name, row, help) AP_INIT_TAKE1(name, set_number, NUMBER_ROW(row), RSRC_CONF, help)
#define TEXT(name, row, help)   AP_INIT_TAKE1(name, set_text, TEXT_ROW(row), RSRC_CONF, help)
#define FLAG(name, row, help)   AP_INIT_FLAG(name, set_flag, FLAG_ROW(row), RSRC_CONF, help)

const command_rec iimg_config_commands[] = {
    AP_INIT_TAKE1("IdentityImg", set_use, NULL, ACCESS_CONF,
                  "what this Location is for: on (the API), errors, or off"),
    TEXT("IdentityImgBaseURL", BASE_URL, "scheme and host that absolute URLs begin with"),
    AP_INIT_ITERATE("IdentityImgCorsOrigin", add_origin, NULL, RSRC_CONF,
                    "origins whose pages may use the API"),
    TEXT("IdentityImgSecretFile", SECRET_FILE, "file with the keys that sign picture URLs"),
    TEXT("IdentityImgMediaPath", MEDIA_PATH, "path that pictures are served below"),
    NUMBER("IdentityImgMediaExpiry", MEDIA_EXPIRY, "seconds that a picture's URL is good for"),
    NUMBER("IdentityImgMaxUpload", MAX_UPLOAD, "maximum number of bytes of an uploaded picture"),
    AP_INIT_TAKE12("IdentityImgMaxPixels", set_megapixels, NULL, RSRC_CONF,
                   "maximum number of megapixels of a picture, and of a baseline JPEG"),
    AP_INIT_TAKE1("IdentityImgWorkerProgram", set_main_text, TEXT_ROW(WORKER_PROGRAM), RSRC_CONF,
                  "program that decodes pictures"),
    AP_INIT_TAKE1("IdentityImgWorkers", set_main_number, NUMBER_ROW(WORKERS), RSRC_CONF,
                  "maximum number of pictures decoded at once"),
    NUMBER("IdentityImgWorkerWait", WORKER_WAIT, "seconds that a picture waits for its turn"),
    NUMBER("IdentityImgWorkerTimeout", WORKER_TIMEOUT, "seconds that decoding a picture may take"),
    TEXT("IdentityImgDerivativeFormat", DERIVATIVE_FORMAT,
         "format of pictures' smaller sizes: jpeg or webp"),
    NUMBER("IdentityImgDerivativeQuality", QUALITY, "quality of pictures' smaller sizes"),
    TEXT("IdentityImgMedia", MEDIA, "access to picture URLs: signed or public"),
    TEXT("IdentityImgMediaPublicURL", PUBLIC_URL, "base of public picture URLs"),
    TEXT("IdentityImgStorage", STORAGE, "kind of store for pictures: file or s3"),
    TEXT("IdentityImgStorageRoot", STORAGE_ROOT, "directory of the store \"file\""),
    TEXT("IdentityImgS3Endpoint", S3_ENDPOINT, "base URL of the store \"s3\""),
    TEXT("IdentityImgS3Bucket", S3_BUCKET, "bucket of the store \"s3\""),
    TEXT("IdentityImgS3Region", S3_REGION, "region of the bucket"),
    TEXT("IdentityImgS3Addressing", S3_ADDRESSING,
         "place of the bucket's name in URLs: auto, path or virtual"),
    TEXT("IdentityImgS3Prefix", S3_PREFIX, "prefix of object names in the bucket"),
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
    TEXT("IdentityImgGenerator", GENERATOR, "generator of identity pictures: gemini or preview"),
    TEXT("IdentityImgGeminiKeyFile", GEMINI_KEY_FILE, "file with the key of the Gemini API"),
    TEXT("IdentityImgGeminiEndpoint", GEMINI_ENDPOINT, "base URL of the Gemini API"),
    TEXT("IdentityImgGeminiVersion", GEMINI_VERSION, "version in the Gemini API's path"),
    TEXT("IdentityImgGeminiModel", GEMINI_MODEL, "default model"),
    AP_INIT_ITERATE("IdentityImgGeminiModels", iimg_config_add_model, NULL, RSRC_CONF,
                    "models that requests may choose besides the default"),
    TEXT("IdentityImgGeminiFallbackModel", FALLBACK_MODEL,
         "model to use when the requested one is retired or overloaded"),
    TEXT("IdentityImgGeminiStore", GEMINI_STORE,
         "whether Google may store requests: off, or project for the Google project's setting"),
    AP_INIT_TAKE3("IdentityImgGeminiPrice", iimg_config_add_price, NULL, RSRC_CONF,
                  "a model, a resolution, and what a picture of it costs in US dollars"),
    TEXT("IdentityImgAspectRatio", ASPECT_RATIO, "aspect ratio of requests that name none"),
    TEXT("IdentityImgResolution", RESOLUTION, "resolution of requests that name none"),
    NUMBER("IdentityImgGeminiTimeout", GEMINI_TIMEOUT,
           "seconds to wait for a generated image in all, with retries"),
    NUMBER("IdentityImgGeminiRetries", GEMINI_RETRIES,
           "maximum number of retries after a failed call"),
    NUMBER("IdentityImgGeminiBreaker", GEMINI_BREAKER,
           "consecutive overload errors that open the circuit breaker, or 0 for never"),
    NUMBER("IdentityImgGeminiMaxResponse", GEMINI_MAX_RESPONSE,
           "maximum number of bytes of the Gemini API's answer"),
    TEXT("IdentityImgSpoolDir", SPOOL_DIR,
         "directory for responses of the provider while they arrive"),
    NUMBER("IdentityImgGeminiConnectTimeout", GEMINI_CONNECT_TIMEOUT,
           "seconds to wait for a connection to the Gemini API"),
    TEXT("IdentityImgProxy", PROXY, "URL of the proxy for requests to providers"),
    FLAG("IdentityImgAllowInsecureEndpoint", ALLOW_INSECURE,
         "whether providers may be reached by plain http beyond this machine"),
    NUMBER("IdentityImgReferenceSide", REFERENCE_SIDE,
           "maximum number of pixels of the longer side of a reference sent to a provider"),
    NUMBER("IdentityImgMaxWaiting", MAX_WAITING,
           "maximum number of requests waiting for a generation at once in a child process"),
    FLAG("IdentityImgParkRequests", PARK_REQUESTS,
         "whether requests that wait for a generation are held without a thread"),
    NUMBER("IdentityImgMaxParked", MAX_PARKED,
           "maximum number of requests waiting without a thread at once in a child process"),
    NUMBER("IdentityImgEngineJobs", ENGINE_JOBS,
           "maximum number of generations that a child process runs at once"),
    NUMBER("IdentityImgEngineThreads", ENGINE_THREADS,
           "maximum number of threads of a child process that prepare and store generations"),
    NUMBER("IdentityImgEngineMemory", ENGINE_MEMORY,
           "megabytes of photos that running generations of a child process may hold"),
    NUMBER("IdentityImgGenerationQueue", GENERATION_QUEUE,
           "maximum number of generations in the queue, 0 for no queue"),
    NUMBER("IdentityImgGenerationAttempts", GENERATION_ATTEMPTS,
           "maximum number of starts of a generation whose process dies"),
    NUMBER("IdentityImgGenerationsAtOnce", GENERATIONS_AT_ONCE,
           "maximum number of generations at once on all machines, 0 for any number"),
    NUMBER("IdentityImgGenerationsPerUser", GENERATIONS_PER_USER,
           "maximum number of generations of one user at once, 0 for any number"),
    NUMBER("IdentityImgGenerationsPerDay", GENERATIONS_PER_DAY,
           "maximum number of generations of one user in 24 hours, 0 for any number"),
    TEXT("IdentityImgGenerationBudget", GENERATION_BUDGET,
         "maximum cost in dollars for generations in 24 hours, 0 for any amount"),
    TEXT("IdentityImgGenerationCost", GENERATION_COST,
         "dollars that a generation counts as long as its cost is unknown"),
    NUMBER("IdentityImgDatabaseConnections", DATABASE_CONNECTIONS,
           "maximum number of database connections that the API uses at once in a child process"),
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
           "failed logins per account and address before further ones are rejected"),
    NUMBER("IdentityImgLoginWindow", LOGIN_WINDOW,
           "seconds from the first failed login until they are forgotten"),
    NUMBER("IdentityImgSweepInterval", SWEEP_INTERVAL,
           "seconds between two sweeps of the picture store"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL },
};
