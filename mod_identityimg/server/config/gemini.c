/* gemini.c - the settings of generators: checks, commands, and the generator's settings. */
#include "server/config/gemini.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/private_file.h"
#include "services/generator/breaker.h"
#include "services/gemini/model.h"
#include "services/generators.h"

#define MAX_MODELS       16
#define USUAL_RESOLUTION "4K"

/* Single values ------------------------------------------------------------------------------- */

const char *iimg_config_check_generator(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return iimg_generator_by_name(value) ? NULL : "a generator: gemini, preview";
}

const char *iimg_config_check_version(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "v1") == 0 || strcmp(value, "v1beta") == 0 ? NULL
                                                                    : "a version: v1, v1beta";
}

const char *iimg_config_check_gemini_store(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "off") == 0 || strcmp(value, "project") == 0 ? NULL : "off or project";
}

const char *iimg_config_check_model(apr_pool_t *pool, const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    (void)pool;
    return n > 0 && n <= 100 && value[n] == '\0'
               ? NULL
               : "a model's name: letters, digits, '.', '-', '_', at most 100";
}

static bool is_one_of(const char *value, const char *const *names)
{
    while (*names && strcmp(*names, value) != 0) {
        names++;
    }
    return *names != NULL;
}

static const char *listed(apr_pool_t *pool, const char *what, const char *const *names)
{
    const char *sentence = apr_pstrcat(pool, what, ": ", *names, NULL);

    while (*++names) {
        sentence = apr_pstrcat(pool, sentence, ", ", *names, NULL);
    }
    return sentence;
}

const char *iimg_config_check_aspect_ratio(apr_pool_t *pool, const char *value)
{
    return is_one_of(value, iimg_aspect_ratios)
               ? NULL
               : listed(pool, "an aspect ratio", iimg_aspect_ratios);
}

const char *iimg_config_check_resolution(apr_pool_t *pool, const char *value)
{
    return is_one_of(value, iimg_resolutions) ? NULL
                                              : listed(pool, "a resolution", iimg_resolutions);
}

/* Up to `digits` digits, and up to six decimals: "0.134" */
static bool is_decimal(const char *value, size_t digits)
{
    size_t whole = strspn(value, "0123456789");
    size_t parts = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") : 0;
    size_t length = whole + (value[whole] == '.' ? 1 + parts : 0);

    return whole > 0 && whole <= digits && parts <= 6 && value[length] == '\0'
           && (value[whole] != '.' || parts > 0);
}

static const char *check_price(const char *value)
{
    return is_decimal(value, 5) ? NULL : "a price in US dollars such as 0.134";
}

const char *iimg_config_check_dollars(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_decimal(value, 6) ? NULL
                                : "an amount of dollars from 0 to 999999, such as 25 or 0.24";
}

/* Commands ------------------------------------------------------------------------------------ */

const char *iimg_config_add_model(cmd_parms *cmd, void *unused, const char *name)
{
    iimg_config_t *config = iimg_config_of(cmd->server);
    const char *problem = iimg_config_check_model(cmd->pool, name);

    (void)unused;
    if (problem) {
        return apr_psprintf(cmd->pool, "%s: \"%s\" is not %s", cmd->cmd->name, name, problem);
    }
    if (!config->gemini_models) {
        config->gemini_models = apr_array_make(cmd->pool, 4, sizeof(const char *));
    }
    if (config->gemini_models->nelts == MAX_MODELS) {
        return apr_psprintf(cmd->pool, "%s: names more than %d models", cmd->cmd->name, MAX_MODELS);
    }
    APR_ARRAY_PUSH(config->gemini_models, const char *) = name;
    return NULL;
}

const char *iimg_config_add_price(cmd_parms *cmd, void *unused, const char *model,
                                  const char *resolution, const char *usd)
{
    iimg_config_t *config = iimg_config_of(cmd->server);
    const char *checks[] = { iimg_config_check_model(cmd->pool, model),
                             iimg_config_check_resolution(cmd->pool, resolution),
                             check_price(usd) };
    const char *values[] = { model, resolution, usd };
    iimg_generator_price_t price = { model, resolution, usd };

    (void)unused;
    for (int i = 0; i < 3; i++) {
        if (checks[i]) {
            return apr_psprintf(cmd->pool, "%s: \"%s\" is not %s", cmd->cmd->name, values[i],
                                checks[i]);
        }
    }
    if (!config->gemini_prices) {
        config->gemini_prices = apr_array_make(cmd->pool, 8, sizeof(price));
    }
    APR_ARRAY_PUSH(config->gemini_prices, iimg_generator_price_t) = price;
    return NULL;
}

/* Finish -------------------------------------------------------------------------------------- */

/* A key is sent in a header: one line of ASCII without blanks. Messages must not quote it. */
static const char *key_problem(const char *text, apr_size_t length)
{
    if (length == 0) {
        return "is empty; write the key of the Gemini API into it, or remove the directive to use preview "
               "posters (IdentityImgGenerator: gemini needs a key)";
    }
    for (apr_size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n' || c == '\r') {
            return "has more than one line; leave the key of the Gemini API alone in it";
        }
        if (c <= ' ' || c >= 0x7f) {
            return "has a character that no key has: a blank inside, a control character or one that "
                   "is not ASCII";
        }
    }
    return NULL;
}

/* An empty environment variable counts as unset. */
static const char *read_key(apr_pool_t *pool, apr_pool_t *temporary, const iimg_config_t *config,
                            const char **key)
{
    const char *text = getenv("GEMINI_API_KEY"), *problem = NULL;
    const char *where = "the environment variable GEMINI_API_KEY";
    size_t n;

    if (config->gemini_key_file) {
        where = apr_psprintf(temporary, "IdentityImgGeminiKeyFile: \"%s\"",
                             config->gemini_key_file);
        problem = iimg_private_file_read(temporary, config->gemini_key_file, &text);
    }
    else if (!text || !*text) {
        return NULL;
    }
    if (!problem) {
        text += strspn(text, " \t\r\n");
        n = strlen(text);
        while (n > 0 && strchr(" \t\r\n", text[n - 1])) {
            n--;
        }
        problem = key_problem(text, n);
        *key = problem ? NULL : apr_pstrmemdup(pool, text, n);
    }
    return problem ? apr_psprintf(pool, "%s %s", where, problem) : NULL;
}

static void add_once(apr_array_header_t *names, const char *name)
{
    for (int i = 0; i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(names, const char *) = name;
}

/* The default and the configured models, then retired names of these. */
static const char *const *models_of(apr_pool_t *pool, const iimg_config_t *config)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    int living;

    add_once(names, config->gemini_model);
    for (int i = 0; config->gemini_models && i < config->gemini_models->nelts; i++) {
        add_once(names, APR_ARRAY_IDX(config->gemini_models, i, const char *));
    }
    living = names->nelts;
    for (int i = 0; i < living; i++) {
        bool alias;
        const char *model = iimg_gemini_model(APR_ARRAY_IDX(names, i, const char *), &alias);
        const char *retired;

        add_once(names, model);
        for (int k = 0; (retired = iimg_gemini_retired(model, k)) != NULL; k++) {
            add_once(names, retired);
        }
    }
    APR_ARRAY_PUSH(names, const char *) = NULL;
    return (const char *const *)names->elts;
}

/* The names that requests may choose, without retired ones. */
static const char *const *offered(apr_pool_t *pool, const char *const *models)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));

    for (; *models; models++) {
        bool alias;
        const char *model = iimg_gemini_model(*models, &alias);

        add_once(names, model);
    }
    APR_ARRAY_PUSH(names, const char *) = NULL;
    return (const char *const *)names->elts;
}

/* Without IdentityImgResolution, choose one that the model supports. */
static const char *choose_defaults(apr_pool_t *pool, iimg_config_t *config)
{
    const iimg_gemini_model_t *model = iimg_gemini_model_row(config->gemini_model);
    const char *problem = iimg_gemini_model_problem(pool, NULL);

    if (problem) {
        return apr_pstrcat(pool, "IdentityImgGeminiModel: ", problem, NULL);
    }
    if (!is_one_of(config->aspect_ratio, model->aspect_ratios)) {
        return apr_psprintf(
            pool, "IdentityImgAspectRatio: \"%s\" is not %s", config->aspect_ratio,
            listed(pool,
                   apr_pstrcat(pool, "an aspect ratio that ", config->gemini_model, " takes", NULL),
                   model->aspect_ratios));
    }
    if (!config->resolution) {
        config->resolution = iimg_gemini_model_resolution(model, USUAL_RESOLUTION);
    }
    if (!is_one_of(config->resolution, model->resolutions)) {
        return apr_psprintf(
            pool, "IdentityImgResolution: \"%s\" is not %s", config->resolution,
            listed(pool,
                   apr_pstrcat(pool, "a resolution that ", config->gemini_model, " takes", NULL),
                   model->resolutions));
    }
    return NULL;
}

/* The price of a retired name applies to the model that replaces it. */
static apr_array_header_t *prices_of(apr_pool_t *pool, const iimg_config_t *config)
{
    apr_array_header_t *prices = config->gemini_prices ? apr_array_copy(pool, config->gemini_prices)
                                                       : NULL;

    for (int i = 0; prices && i < prices->nelts; i++) {
        iimg_generator_price_t *price = &APR_ARRAY_IDX(prices, i, iimg_generator_price_t);
        bool alias;

        price->model = iimg_gemini_model(price->model, &alias);
    }
    return prices;
}

static const char *fill_settings(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_generator_settings_t *settings = &config->services.generator_settings;

    settings->gemini_endpoint = config->gemini_endpoint;
    settings->gemini_version = config->gemini_version;
    settings->gemini_store_by_project = strcmp(config->gemini_store, "project") == 0;
    settings->proxy = config->proxy;
    settings->allow_http = config->allow_insecure;
    settings->connect_timeout = config->gemini_connect_timeout;
    settings->timeout = config->gemini_timeout;
    settings->max_response = (apr_size_t)config->gemini_max_response;
    settings->retries = config->gemini_retries;
    settings->fallback_model = config->gemini_fallback_model;
    settings->prices = prices_of(pool, config);
    if (config->gemini_breaker > 0) {
        settings->breaker = iimg_breaker_create(pool, config->gemini_breaker);
        if (!settings->breaker) {
            return "IdentityImgGeminiBreaker: cannot create its mutex";
        }
    }
    return NULL;
}

const char *iimg_config_gemini_finish(apr_pool_t *pool, apr_pool_t *temporary,
                                      iimg_config_t *config)
{
    iimg_services_t *services = &config->services;
    const char **key = &services->generator_settings.gemini_key;
    const char *problem = read_key(pool, temporary, config, key);
    bool alias;

    if (problem) {
        return problem;
    }
    if (!config->generator) {
        config->generator = *key ? "gemini" : "preview";
    }
    if (strcmp(config->generator, "gemini") == 0 && !*key) {
        return "IdentityImgGenerator: gemini needs a key, from IdentityImgGeminiKeyFile or the "
               "environment variable GEMINI_API_KEY";
    }
    services->generator = iimg_generator_by_name(config->generator);
    services->model = iimg_gemini_model(config->gemini_model, &alias);
    services->models = models_of(pool, config);
    services->offered_models = offered(pool, services->models);
    problem = choose_defaults(pool, config);
    services->aspect_ratio = config->aspect_ratio;
    services->resolution = config->resolution;
    if (problem) {
        return problem;
    }
    return fill_settings(pool, config);
}

/* Warnings ------------------------------------------------------------------------------------ */

static bool is_configured(const iimg_config_t *config, const char *model)
{
    const char *fallback = config->gemini_fallback_model;
    bool alias;

    return is_one_of(model, config->services.offered_models)
           || (fallback && strcmp(iimg_gemini_model(fallback, &alias), model) == 0);
}

static const char *price_warning(apr_pool_t *pool, const iimg_config_t *config,
                                 const iimg_generator_price_t *price)
{
    if (!is_configured(config, price->model)) {
        return apr_psprintf(pool,
                            "IIMG0045: IdentityImgGeminiPrice: the model %s is not configured, so "
                            "its price for %s is never used; check the name, or add it to "
                            "IdentityImgGeminiModels",
                            price->model, price->resolution);
    }
    if (!is_one_of(price->resolution, iimg_gemini_model_row(price->model)->resolutions)) {
        return apr_psprintf(pool,
                            "IIMG0045: IdentityImgGeminiPrice: the model %s makes no pictures at "
                            "%s, so this price is never used; remove the line",
                            price->model, price->resolution);
    }
    return NULL;
}

static void add_end_warning(apr_array_header_t *warnings, const char *directive, const char *model)
{
    const char *follower = model ? iimg_gemini_model_successor(model) : NULL;

    if (follower) {
        APR_ARRAY_PUSH(warnings, const char *) = apr_psprintf(
            warnings->pool, "IIMG0046: %s: Google has retired or deprecated the model %s; use %s",
            directive, model, follower);
    }
}

apr_array_header_t *iimg_config_gemini_warnings(apr_pool_t *pool, const iimg_config_t *config)
{
    apr_array_header_t *warnings = apr_array_make(pool, 4, sizeof(const char *));
    const apr_array_header_t *prices = config->services.generator_settings.prices;
    const apr_array_header_t *models = config->gemini_models;

    for (int i = 0; prices && i < prices->nelts; i++) {
        const char *warning = price_warning(pool, config,
                                            &APR_ARRAY_IDX(prices, i, iimg_generator_price_t));

        if (warning) {
            APR_ARRAY_PUSH(warnings, const char *) = warning;
        }
    }
    add_end_warning(warnings, "IdentityImgGeminiModel", config->gemini_model);
    add_end_warning(warnings, "IdentityImgGeminiFallbackModel", config->gemini_fallback_model);
    for (int i = 0; models && i < models->nelts; i++) {
        add_end_warning(warnings, "IdentityImgGeminiModels",
                        APR_ARRAY_IDX(models, i, const char *));
    }
    return warnings;
}
