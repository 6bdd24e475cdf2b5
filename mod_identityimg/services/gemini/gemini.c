/* gemini.c - the steps of a generation at Gemini, and what is learned from one for the next. */
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

static const char the_key[] = "the key"; /* no model's name has a blank */

static void warn(iimg_gemini_t *it, const char *sentence)
{
    APR_ARRAY_PUSH(it->warnings, const char *) = sentence;
}

void iimg_gemini_begin(iimg_context_t *context, iimg_gemini_t *it,
                       const iimg_generator_settings_t *settings,
                       const iimg_generator_request_t *request, apr_time_t now)
{
    bool alias;

    memset(it, 0, sizeof(*it));
    it->settings = settings;
    it->request = *request;
    it->request.model = iimg_gemini_model(request->model, &alias);
    it->warnings = apr_array_make(context->pool, 2, sizeof(const char *));
    it->tries.retries = settings->retries;
    it->tries.deadline = now + apr_time_from_sec(settings->timeout);
    if (alias) {
        warn(it, apr_psprintf(context->pool, "The model %s was shut down; %s was used instead.",
                              request->model, it->request.model));
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0040: the model %s was shut down, %s is asked "
                 "instead",
                 request->model, it->request.model);
    }
}

/* The breaker --------------------------------------------------------------------------------- */

static iimg_error_t *left_alone(iimg_context_t *context, const char *code, const char *sentence,
                                int wait)
{
    iimg_error_t *err = iimg_error_retry(
        iimg_error_code(iimg_error(context->pool, IIMG_UNAVAILABLE, "%s", sentence), code), wait);

    err->billed = "f";
    return iimg_error_detail(err, "the circuit breaker is open for %d s more", wait);
}

static iimg_error_t *ask_breaker(iimg_context_t *context, iimg_gemini_t *it, apr_time_t now)
{
    iimg_breaker_t *breaker = it->settings->breaker;
    int wait = breaker ? iimg_breaker_ask(breaker, it->request.model, now) : 0;

    if (wait) {
        return left_alone(context, "provider_busy",
                          "The image provider has been overloaded for a "
                          "while and is left alone for now. Please try again later.",
                          wait);
    }
    wait = breaker ? iimg_breaker_ask(breaker, the_key, now) : 0;
    if (wait) {
        iimg_breaker_tell(breaker, it->request.model, IIMG_BREAKER_UNKNOWN, now);
        return left_alone(context, "provider_key",
                          "The image provider refused this server's key "
                          "and is left alone for now; an operator must look at it.",
                          wait);
    }
    it->asked = breaker != NULL;
    return NULL;
}

static bool is(const iimg_error_t *err, const char *code)
{
    return err && err->code && strcmp(err->code, code) == 0;
}

static void tell_breaker(iimg_context_t *context, iimg_gemini_t *it, const iimg_error_t *err,
                         apr_time_t now)
{
    iimg_breaker_t *breaker = it->settings->breaker;
    bool busy = is(err, "provider_busy") && err->kind == IIMG_UNAVAILABLE;
    bool silent = is(err, "timeout") || is(err, "provider_down") || is(err, "provider_reply")
                  || is(err, "spool_down");
    int pause;

    if (!it->asked) {
        return;
    }
    it->asked = false;
    pause = iimg_breaker_tell(breaker, it->request.model,
                              busy                                ? IIMG_BREAKER_FAILED
                              : silent || is(err, "provider_key") ? IIMG_BREAKER_UNKNOWN
                                                                  : IIMG_BREAKER_WELL,
                              now);
    if (pause) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0042: the image provider's model %s is overloaded; "
                 "it is not asked for %d s",
                 it->request.model, pause);
    }
    pause = iimg_breaker_tell(breaker, the_key,
                              is(err, "provider_key") ? IIMG_BREAKER_HOPELESS
                              : silent || busy        ? IIMG_BREAKER_UNKNOWN
                                                      : IIMG_BREAKER_WELL,
                              now);
    if (pause) {
        iimg_log(context, IIMG_LOG_ERROR,
                 "IIMG0043: the image provider refuses this server's key; "
                 "it is not asked for %d s: %s",
                 pause, err->detail);
    }
}

/* A call -------------------------------------------------------------------------------------- */

static iimg_error_t *add_spool(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                               iimg_http_request_t *http)
{
    int error = 0;
    iimg_error_t *err;

    http->spool = iimg_spool_create(pool, settings->spool_dir, &error);
    if (http->spool) {
        http->follow = iimg_gemini_follow;
        http->follower = iimg_gemini_follow_create(pool, settings->spool_dir);
        return NULL;
    }
    err = iimg_error_code(iimg_error(pool, IIMG_UNAVAILABLE,
                                     "This server has no room to receive a picture; an operator "
                                     "must look at it."),
                          "spool_down");
    return iimg_error_detail(err, "%s: %s", settings->spool_dir ? settings->spool_dir : "memfd",
                             strerror(error));
}

/* The time that is left is what the provider hears of, too. */
static iimg_error_t *build(apr_pool_t *pool, const iimg_gemini_t *it, apr_time_t now,
                           iimg_http_request_t *http)
{
    iimg_generator_settings_t settings = *it->settings;
    iimg_error_t *err;

    settings.timeout = (int)apr_time_sec(it->tries.deadline - now + APR_USEC_PER_SEC - 1);
    settings.timeout = settings.timeout > 0 ? settings.timeout : 1;
    http->method = "POST";
    http->proxy = settings.proxy;
    http->connect_timeout = settings.connect_timeout;
    http->timeout = settings.timeout;
    http->deadline = it->tries.deadline;
    http->max_response = settings.max_response;
    err = iimg_gemini_url(pool, &settings, it->request.model, &http->url);
    if (err) {
        return err;
    }
    http->allow_http = strncasecmp(http->url, "http:", 5) == 0;
    err = iimg_gemini_headers(pool, &settings, &http->headers);
    if (!err) {
        err = iimg_gemini_body(pool, &settings, &it->request, &http->body, &http->body_chunks);
    }
    return err ? err : add_spool(pool, &settings, http);
}

/* Nothing was sent: the breaker learns nothing, nobody is charged, and the call's pool ends. */
static iimg_error_t *not_sent(iimg_context_t *context, iimg_gemini_t *it, const iimg_error_t *cause,
                              apr_time_t now)
{
    iimg_error_t *err = iimg_error(context->pool, cause->kind, "%s", cause->message);

    if (it->asked) {
        it->asked = false;
        iimg_breaker_tell(it->settings->breaker, it->request.model, IIMG_BREAKER_UNKNOWN, now);
        iimg_breaker_tell(it->settings->breaker, the_key, IIMG_BREAKER_UNKNOWN, now);
    }
    err->code = cause->code;
    err->billed = "f";
    return cause->detail ? iimg_error_detail(err, "%s", cause->detail) : err;
}

iimg_error_t *iimg_gemini_prepare(iimg_context_t *context, apr_pool_t *pool, iimg_gemini_t *it,
                                  apr_time_t now, iimg_http_request_t *http)
{
    iimg_error_t *err = ask_breaker(context, it, now);

    if (err) {
        return err;
    }
    memset(http, 0, sizeof(*http));
    err = build(pool, it, now, http);
    if (err) {
        return not_sent(context, it, err, now);
    }
    it->tries.calls++;
    return NULL;
}

static const char *cost_of(const iimg_gemini_t *it)
{
    const apr_array_header_t *prices = it->settings->prices;

    for (int i = 0; prices && i < prices->nelts; i++) {
        const iimg_generator_price_t *price = &APR_ARRAY_IDX(prices, i, iimg_generator_price_t);

        if (strcmp(price->model, it->request.model) == 0
            && strcmp(price->resolution, it->request.resolution) == 0) {
            return price->usd;
        }
    }
    return NULL;
}

iimg_error_t *iimg_gemini_finish(iimg_context_t *context, iimg_gemini_t *it,
                                 const iimg_http_response_t *response, apr_time_t now,
                                 iimg_generator_result_t **result)
{
    iimg_error_t *err = iimg_gemini_reply(context, it->settings, &it->request, response, result);

    tell_breaker(context, it, err, now);
    if (!err) {
        (*result)->cost = cost_of(it);
    }
    return err;
}

/* And again ----------------------------------------------------------------------------------- */

static bool fall_back(iimg_context_t *context, iimg_gemini_t *it, const iimg_error_t *err,
                      apr_time_t now)
{
    bool alias;
    const char *other = it->settings->fallback_model
                            ? iimg_gemini_model(it->settings->fallback_model, &alias)
                            : NULL;

    if (!other || strcmp(other, it->request.model) == 0
        || !iimg_gemini_model_takes(other, it->request.aspect_ratio, it->request.resolution)
        || !(is(err, "model_retired") || is(err, "provider_busy"))
        || now + apr_time_from_sec(IIMG_TRIES_MIN_CALL) > it->tries.deadline) {
        return false;
    }
    warn(it, apr_psprintf(context->pool, "The model %s was not available; %s was used instead.",
                          it->request.model, other));
    iimg_log(context, IIMG_LOG_WARNING,
             "IIMG0044: the model %s is not available, %s is asked "
             "instead: %s",
             it->request.model, other, err->detail ? err->detail : err->message);
    it->request.model = other;
    it->tries.calls = 0;
    return true;
}

bool iimg_gemini_again(iimg_context_t *context, iimg_gemini_t *it, const iimg_error_t *err,
                       apr_time_t now, apr_interval_time_t *wait)
{
    bool paid = it->tries.paid;
    apr_uint32_t chance = 0;

    apr_generate_random_bytes((unsigned char *)&chance, sizeof(chance));
    *wait = 0;
    if (!iimg_tries_again(&it->tries, err, now, chance, wait)) {
        *wait = 0;
        return fall_back(context, it, err, now);
    }
    if (it->tries.paid && !paid) {
        warn(it, "The provider's first answer had no picture, and it was asked again: both may "
                 "have been billed.");
    }
    iimg_log(context, IIMG_LOG_INFO, "the image provider is asked again in %d ms: %s",
             (int)apr_time_as_msec(*wait), err->detail ? err->detail : err->message);
    return true;
}

void iimg_gemini_end(iimg_context_t *context, iimg_gemini_t *it, iimg_generator_result_t **result)
{
    if (!*result) {
        *result = apr_pcalloc(context->pool, sizeof(**result));
        (*result)->warnings = it->warnings;
        return;
    }
    apr_array_cat(it->warnings, (*result)->warnings);
    (*result)->warnings = it->warnings;
}
