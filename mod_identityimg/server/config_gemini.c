/* config_gemini.c - what operators say about generators: values, and what is made of them. */
#include "server/config_gemini.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/private_file.h"
#include "services/breaker.h"
#include "services/gemini_request.h"

#define MAX_MODELS 16

/* Single values ------------------------------------------------------------------------------- */

const char *iimg_config_check_generator(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return iimg_generator_by_name(value) ? NULL : "a generator: gemini, preview";
}

const char *iimg_config_check_version(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "v1") == 0 || strcmp(value, "v1beta") == 0
           ? NULL : "a version: v1, v1beta";
}

const char *iimg_config_check_model(apr_pool_t *pool, const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    (void)pool;
    return n > 0 && n <= 100 && value[n] == '\0'
           ? NULL : "a model's name: letters, digits, '.', '-', '_', at most 100";
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
           ? NULL : listed(pool, "an aspect ratio", iimg_aspect_ratios);
}

const char *iimg_config_check_resolution(apr_pool_t *pool, const char *value)
{
    return is_one_of(value, iimg_resolutions)
           ? NULL : listed(pool, "a resolution", iimg_resolutions);
}

/* Up to `digits` digits, with at most six behind a point: "0.134" */
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
    return is_decimal(value, 6)
           ? NULL : "an amount of dollars from 0 to 999999, such as 25 or 0.24";
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
        return apr_psprintf(cmd->pool, "%s: names more than %d models", cmd->cmd->name,
                            MAX_MODELS);
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

static const char *read_key(apr_pool_t *pool, apr_pool_t *temporary, const iimg_config_t *config,
                            const char **key)
{
    const char *text = getenv("GEMINI_API_KEY"), *problem;
    size_t n;

    if (config->gemini_key_file) {
        problem = iimg_private_file_read(temporary, config->gemini_key_file, &text);
        if (problem) {
            return apr_psprintf(pool, "IdentityImgGeminiKeyFile: \"%s\" %s",
                                config->gemini_key_file, problem);
        }
    }
    text = text ? text + strspn(text, " \t\r\n") : "";
    n = strcspn(text, " \t\r\n");
    *key = n ? apr_pstrmemdup(pool, text, n) : NULL;
    return NULL;
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

/* The default and what the operator listed, then the retired names of those. */
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

static const char *fill_settings(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_generator_settings_t *settings = &config->services.generator_settings;

    settings->gemini_endpoint = config->gemini_endpoint;
    settings->gemini_version = config->gemini_version;
    settings->proxy = config->proxy;
    settings->allow_http = config->allow_insecure;
    settings->connect_timeout = config->gemini_connect_timeout;
    settings->timeout = config->gemini_timeout;
    settings->max_response = (apr_size_t)config->gemini_max_response;
    settings->retries = config->gemini_retries;
    settings->fallback_model = config->gemini_fallback_model;
    settings->prices = config->gemini_prices;
    if (config->gemini_breaker > 0) {
        settings->breaker = iimg_breaker_create(pool, config->gemini_breaker);
        if (!settings->breaker) {
            return "IdentityImgGeminiBreaker: there is no mutex for it";
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
    services->model = config->gemini_model;
    services->models = models_of(pool, config);
    services->aspect_ratio = config->aspect_ratio;
    services->resolution = config->resolution;
    return fill_settings(pool, config);
}
