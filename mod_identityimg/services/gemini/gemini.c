/* gemini.c - the steps of a generation at Gemini, its retries and the circuit breaker. */
#include "services/gemini/gemini.h"

#include <string.h>
#include <strings.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/spool.h"
#include "services/generator/breaker.h"
#include "services/gemini/stream.h"
#include "services/gemini/model.h"
#include "services/gemini/reply.h"
#include "services/gemini/request.h"

/* The breaker's name for the API key. It cannot be a model: it has a space. */
static const char key_service[] = "the key";

static void warn(iimg_gemini_t *generation, const char *sentence)
{
    APR_ARRAY_PUSH(generation->warnings, const char *) = sentence;
}

void iimg_gemini_begin(iimg_context_t *context, iimg_gemini_t *generation,
                       const iimg_generator_settings_t *settings,
                       const iimg_generator_request_t *request, apr_time_t now)
{
    bool alias;

    memset(generation, 0, sizeof(*generation));
    generation->settings = settings;
    generation->request = *request;
    generation->request.model = iimg_gemini_model(request->model, &alias);
    generation->warnings = apr_array_make(context->pool, 2, sizeof(const char *));
    generation->retry.retries = settings->retries;
    generation->retry.deadline = now + apr_time_from_sec(settings->timeout);
    if (alias) {
        warn(generation,
             apr_psprintf(context->pool, "The model %s was shut down; %s was used instead.",
                          request->model, generation->request.model));
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0040: model %s was shut down; using %s; change "
                 "IdentityImgGeminiModel or the request",
                 request->model, generation->request.model);
    }
}

/* The breaker --------------------------------------------------------------------------------- */

static iimg_error_t *refuse_call(iimg_context_t *context, const char *code, const char *sentence,
                                 int wait)
{
    iimg_error_t *err = iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, code, sentence,
                                               "the circuit breaker is open for %d s", wait);

    err->billed = "f";
    return iimg_error_retry(err, wait);
}

static iimg_error_t *ask_breaker(iimg_context_t *context, iimg_gemini_t *generation, apr_time_t now)
{
    iimg_breaker_t *breaker = generation->settings->breaker;
    int wait = breaker ? iimg_breaker_ask(breaker, generation->request.model, now) : 0;

    if (wait) {
        return refuse_call(context, "provider_busy",
                           "The image provider is overloaded. Try again later.", wait);
    }
    wait = breaker ? iimg_breaker_ask(breaker, key_service, now) : 0;
    if (wait) {
        iimg_breaker_report(breaker, generation->request.model, IIMG_BREAKER_UNKNOWN, now);
        return refuse_call(
            context, "provider_key",
            "The image provider refused this server's key. An operator must correct it.", wait);
    }
    generation->reported_to_breaker = breaker != NULL;
    return NULL;
}

static bool has_code(const iimg_error_t *err, const char *code)
{
    return err && err->code && strcmp(err->code, code) == 0;
}

static void report_to_breaker(iimg_context_t *context, iimg_gemini_t *generation,
                              const iimg_error_t *err, apr_time_t now)
{
    iimg_breaker_t *breaker = generation->settings->breaker;
    bool busy = has_code(err, "provider_busy") && err->kind == IIMG_UNAVAILABLE;
    bool silent = has_code(err, "timeout") || has_code(err, "provider_down")
                  || has_code(err, "provider_reply") || has_code(err, "spool_down");
    int pause;

    if (!generation->reported_to_breaker) {
        return;
    }
    generation->reported_to_breaker = false;
    pause = iimg_breaker_report(breaker, generation->request.model,
                                busy                                      ? IIMG_BREAKER_FAILED
                                : silent || has_code(err, "provider_key") ? IIMG_BREAKER_UNKNOWN
                                                                          : IIMG_BREAKER_WELL,
                                now);
    if (pause) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0042: model %s of the image provider is overloaded; "
                 "no calls for %d s",
                 generation->request.model, pause);
    }
    pause = iimg_breaker_report(breaker, key_service,
                                has_code(err, "provider_key") ? IIMG_BREAKER_HOPELESS
                                : silent || busy              ? IIMG_BREAKER_UNKNOWN
                                                              : IIMG_BREAKER_WELL,
                                now);
    if (pause) {
        iimg_log(context, IIMG_LOG_ERROR,
                 "IIMG0043: the image provider refuses the API key; no calls for %d s: %s; "
                 "check IdentityImgGeminiKeyFile",
                 pause, err->detail);
    }
}

/* A call -------------------------------------------------------------------------------------- */

static iimg_error_t *open_spool(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                iimg_http_request_t *http)
{
    int error = 0;

    http->spool = iimg_spool_create(pool, settings->spool_dir, &error);
    if (!http->spool) {
        return iimg_error_with_detail(
            pool, IIMG_UNAVAILABLE, "spool_down",
            "The server has no disk space for the picture. An operator must free some.", "%s: %s",
            settings->spool_dir ? settings->spool_dir : "memfd", strerror(error));
    }
    http->follow = iimg_gemini_stream_feed;
    http->follower = iimg_gemini_stream_create(pool, settings->spool_dir);
    return NULL;
}

/* The provider is told the time that is left (X-Server-Timeout). */
static iimg_error_t *build_request(apr_pool_t *pool, const iimg_gemini_t *generation,
                                   apr_time_t now, iimg_http_request_t *http)
{
    iimg_generator_settings_t settings = *generation->settings;
    iimg_error_t *err;

    settings.timeout = (int)apr_time_sec(generation->retry.deadline - now + APR_USEC_PER_SEC - 1);
    settings.timeout = settings.timeout > 0 ? settings.timeout : 1;
    http->method = "POST";
    http->proxy = settings.proxy;
    http->connect_timeout = settings.connect_timeout;
    http->timeout = settings.timeout;
    http->deadline = generation->retry.deadline;
    http->max_response = settings.max_response;
    err = iimg_gemini_url(pool, &settings, generation->request.model, &http->url);
    if (err) {
        return err;
    }
    http->allow_http = strncasecmp(http->url, "http:", 5) == 0;
    err = iimg_gemini_headers(pool, &settings, &http->headers);
    if (err) {
        return err;
    }
    err = iimg_gemini_body(pool, &settings, &generation->request, &http->body, &http->body_chunks);
    if (err) {
        return err;
    }
    return open_spool(pool, &settings, http);
}

/* Nothing was sent, so nothing is billed. The error moves out of the call's pool, which ends. */
static iimg_error_t *cancel_call(iimg_context_t *context, iimg_gemini_t *generation,
                                 const iimg_error_t *cause, apr_time_t now)
{
    iimg_error_t *err = iimg_error(context->pool, cause->kind, "%s", cause->message);

    if (generation->reported_to_breaker) {
        generation->reported_to_breaker = false;
        iimg_breaker_report(generation->settings->breaker, generation->request.model,
                            IIMG_BREAKER_UNKNOWN, now);
        iimg_breaker_report(generation->settings->breaker, key_service, IIMG_BREAKER_UNKNOWN, now);
    }
    err->code = cause->code;
    err->billed = "f";
    return cause->detail ? iimg_error_detail(err, "%s", cause->detail) : err;
}

iimg_error_t *iimg_gemini_prepare(iimg_context_t *context, apr_pool_t *pool,
                                  iimg_gemini_t *generation, apr_time_t now,
                                  iimg_http_request_t *http)
{
    iimg_error_t *err = ask_breaker(context, generation, now);

    if (err) {
        return err;
    }
    memset(http, 0, sizeof(*http));
    err = build_request(pool, generation, now, http);
    if (err) {
        return cancel_call(context, generation, err, now);
    }
    generation->retry.calls++;
    return NULL;
}

static const char *cost_of(const iimg_gemini_t *generation)
{
    const apr_array_header_t *prices = generation->settings->prices;

    for (int i = 0; prices && i < prices->nelts; i++) {
        const iimg_generator_price_t *price = &APR_ARRAY_IDX(prices, i, iimg_generator_price_t);

        if (strcmp(price->model, generation->request.model) == 0
            && strcmp(price->resolution, generation->request.resolution) == 0) {
            return price->usd;
        }
    }
    return NULL;
}

iimg_error_t *iimg_gemini_finish(iimg_context_t *context, iimg_gemini_t *generation,
                                 const iimg_http_response_t *response, apr_time_t now,
                                 iimg_generator_result_t **result)
{
    iimg_error_t *err = iimg_gemini_reply(context, generation->settings, &generation->request,
                                          response, result);

    report_to_breaker(context, generation, err, now);
    if (err) {
        return err;
    }
    (*result)->cost = cost_of(generation);
    return NULL;
}

/* Retries ------------------------------------------------------------------------------------- */

static bool fall_back(iimg_context_t *context, iimg_gemini_t *generation, const iimg_error_t *err,
                      apr_time_t now)
{
    bool alias;
    const char *other = generation->settings->fallback_model
                            ? iimg_gemini_model(generation->settings->fallback_model, &alias)
                            : NULL;

    if (!other || strcmp(other, generation->request.model) == 0
        || !iimg_gemini_model_takes(other, generation->request.aspect_ratio,
                                    generation->request.resolution)
        || !(has_code(err, "model_retired") || has_code(err, "provider_busy"))
        || now + apr_time_from_sec(IIMG_RETRY_MIN_CALL) > generation->retry.deadline) {
        return false;
    }
    warn(generation,
         apr_psprintf(context->pool, "The model %s was not available; %s was used instead.",
                      generation->request.model, other));
    iimg_log(context, IIMG_LOG_WARNING,
             "IIMG0044: model %s is not available, using the fallback model %s: %s",
             generation->request.model, other, err->detail ? err->detail : err->message);
    generation->request.model = other;
    generation->retry.calls = 0;
    return true;
}

bool iimg_gemini_again(iimg_context_t *context, iimg_gemini_t *generation, const iimg_error_t *err,
                       apr_time_t now, apr_interval_time_t *wait)
{
    bool paid = generation->retry.paid;
    apr_uint32_t chance = 0;

    apr_generate_random_bytes((unsigned char *)&chance, sizeof(chance));
    *wait = 0;
    if (!iimg_retry_decide(&generation->retry, err, now, chance, wait)) {
        *wait = 0;
        return fall_back(context, generation, err, now);
    }
    if (generation->retry.paid && !paid) {
        warn(generation,
             "The provider's first response had no picture, so the request was repeated. "
             "Both may be billed.");
    }
    iimg_log(context, IIMG_LOG_INFO, "retrying the image provider in %d ms: %s",
             (int)apr_time_as_msec(*wait), err->detail ? err->detail : err->message);
    return true;
}

void iimg_gemini_end(iimg_context_t *context, iimg_gemini_t *generation,
                     iimg_generator_result_t **result)
{
    if (!*result) {
        *result = apr_pcalloc(context->pool, sizeof(**result));
        (*result)->warnings = generation->warnings;
        return;
    }
    apr_array_cat(generation->warnings, (*result)->warnings);
    (*result)->warnings = generation->warnings;
}
