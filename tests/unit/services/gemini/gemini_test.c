/* gemini_test.c - a generation step by step: what it costs, when another model is asked, and what
 * breakers learn. */
#include "services/gemini/gemini.h"
#include "services/generator/breaker.h"
#include "tap.h"
#include "work.h"

#define PRO    "gemini-3-pro-image"
#define FLASH  "gemini-3.1-flash-image"
#define LITE   "gemini-3.1-flash-lite-image"
#define KEY    "the key" /* its name in the breaker */
#define SECOND APR_USEC_PER_SEC

#define PNG \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
#define PICTURE \
    "{\"candidates\": [{\"content\": {\"parts\": [{\"inlineData\": {\"mimeType\": \"image/png\", \"data\": \"" PNG \
    "\"}}]}, \"finishReason\": \"STOP\"}]}"

static const apr_time_t now = 1000000 * SECOND;
static iimg_generator_settings_t settings;
static iimg_generator_request_t request;
static iimg_gemini_t generation;

static void begin(iimg_context_t *context, const char *model, const char *fallback)
{
    static const iimg_generator_reference_t reference = { "\xff\xd8\xff\xe0", 4, "image/jpeg", NULL,
                                                          0 };

    settings = (iimg_generator_settings_t){ .gemini_key = "secret",
                                            .gemini_endpoint = "https://gemini.example",
                                            .gemini_version = "v1",
                                            .timeout = 60,
                                            .retries = 2,
                                            .fallback_model = fallback,
                                            .max_response = 1000000,
                                            .spool_dir = "/tmp",
                                            .breaker = iimg_breaker_create(context->pool, 1) };
    request = (iimg_generator_request_t){ .prompt = "p",
                                          .model = model,
                                          .aspect_ratio = "1:1",
                                          .resolution = "1K",
                                          .width = 1,
                                          .height = 1,
                                          .references = &reference,
                                          .reference_count = 1 };
    iimg_gemini_begin(context, &generation, &settings, &request, now);
}

static iimg_error_t *failure(iimg_context_t *context, const char *code, iimg_error_kind_t kind,
                             iimg_again_t again)
{
    iimg_error_t *err = iimg_error_code(iimg_error(context->pool, kind, "It failed."), code);

    err->again = again;
    return err;
}

static iimg_error_t *prepare(iimg_context_t *context, iimg_http_request_t *http, apr_time_t when)
{
    return iimg_gemini_prepare(context, context->pool, &generation, when, http);
}

static iimg_error_t *finish(iimg_context_t *context, iimg_http_outcome_t outcome, int status,
                            const char *body, iimg_generator_result_t **result)
{
    iimg_http_response_t response = { .outcome = outcome,
                                      .problem = "",
                                      .status = status,
                                      .body = body,
                                      .length = strlen(body),
                                      .headers = apr_table_make(context->pool, 1) };

    *result = NULL;
    return iimg_gemini_finish(context, &generation, &response, now, result);
}

static void test_cost(iimg_context_t *context)
{
    static const struct {
        const char *model, *resolution, *cost, *sentence;
    } rows[] = {
        { PRO, "1K", "0.134", "a picture costs its model's price" },
        { PRO, "2K", "0.2", "at its resolution" },
        { FLASH, "1K", "0.07", "another model has its own" },
        { FLASH, "2K", NULL, "without a price the cost is unknown" },
        { "gemini-3-pro-image-preview", "2K", "0.2",
          "a retired name costs what its successor costs" },
    };
    apr_array_header_t *prices = apr_array_make(context->pool, 3, sizeof(iimg_generator_price_t));
    iimg_generator_result_t *result = NULL;
    iimg_http_request_t http;

    APR_ARRAY_PUSH(prices, iimg_generator_price_t) = (iimg_generator_price_t){ PRO, "1K", "0.134" };
    APR_ARRAY_PUSH(prices, iimg_generator_price_t) = (iimg_generator_price_t){ PRO, "2K", "0.2" };
    APR_ARRAY_PUSH(prices, iimg_generator_price_t) = (iimg_generator_price_t){ FLASH, "1K",
                                                                               "0.07" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(context, rows[i].model, NULL);
        settings.prices = prices;
        generation.request.resolution = rows[i].resolution;
        tap_ok(!prepare(context, &http, now)
                   && !finish(context, IIMG_HTTP_OK, 200, PICTURE, &result),
               "a picture is made");
        tap_is(result ? result->cost : "none", rows[i].cost, "%s", rows[i].sentence);
    }
}

static void test_request(iimg_context_t *context)
{
    static const struct {
        int later, timeout;
    } rows[] = { { 0, 60 }, { 1, 59 }, { 59, 1 }, { 60, 1 }, { 70, 1 } };
    iimg_http_request_t http;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(context, PRO, NULL);
        tap_ok(!prepare(context, &http, now + rows[i].later * SECOND), "a call after %d s",
               rows[i].later);
        tap_is_number(http.timeout, rows[i].timeout,
                      "its timeout is the rest of a minute, and a second at least");
        tap_ok(http.deadline == now + 60 * SECOND, "its deadline is that of the generation");
        tap_is_number(generation.retry.calls, 1, "the call is counted");
        tap_ok(!http.allow_http && http.max_response == 1000000,
               "the call uses TLS and limits the response");
    }
    tap_ok(!prepare(context, &http, now + SECOND + 1), "a call after a little more than a second");
    tap_is_number(http.timeout, 59, "the rest of the time is rounded up to seconds");
    generation.retry.calls = 1;
    settings.gemini_key = NULL;
    tap_ok(prepare(context, &http, now) != NULL, "without a key no call is built");
    tap_is_number(generation.retry.calls, 1, "a call that is not built is not counted");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0,
                  "a call that is not built does not change the breaker");
    tap_is(generation.reported_to_breaker ? "asked" : "idle", "idle",
           "a call that is not built is not reported to the breaker");
}

static void test_waits(iimg_context_t *context)
{
    iimg_error_t *err = failure(context, "provider_busy", IIMG_UNAVAILABLE, IIMG_AGAIN_FREE);
    apr_interval_time_t wait = -1;

    tap_ok(iimg_gemini_again(context, &generation, err, now, &wait)
               && generation.warnings->nelts == 1,
           "a free retry after a billed one adds no warning");
    begin(context, PRO, FLASH);
    err->retry_after = 40;
    tap_ok(iimg_gemini_again(context, &generation, err, now + 20 * SECOND, &wait),
           "a model asks for a longer wait than there is time");
    tap_is(generation.request.model, FLASH,
           "the fallback model is used if the pause exceeds the time");
    tap_ok(wait == 0, "the fallback model is called without a pause");
}

static void test_fallback(iimg_context_t *context)
{
    static const struct {
        const char *model, *fallback, *code, *resolution;
        iimg_error_kind_t kind;
        iimg_again_t again;
        int calls, left;   /* seconds */
        const char *asked; /* NULL: it is given up */
        bool waits;
        const char *sentence;
    } rows[] = {
        { PRO, FLASH, "provider_busy", "1K", IIMG_UNAVAILABLE, IIMG_AGAIN_FREE, 1, 60, PRO, true,
          "a busy model is retried" },
        { PRO, FLASH, "provider_busy", "1K", IIMG_UNAVAILABLE, IIMG_AGAIN_FREE, 3, 60, FLASH, false,
          "after two retries the fallback model is used" },
        { PRO, FLASH, "provider_busy", "1K", IIMG_LIMITED, IIMG_AGAIN_NO, 1, 60, FLASH, false,
          "a used-up quota leads to the fallback model" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, FLASH, false,
          "a retired model leads to the fallback model" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 5, FLASH, false,
          "the fallback model is used with five seconds left" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 4, NULL, false,
          "the fallback model is not used with four seconds left" },
        { PRO, NULL, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "without a fallback model the generation fails" },
        { PRO, PRO, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "the same model is no fallback" },
        { PRO, "gemini-3-pro-image-preview", "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1,
          60, NULL, false, "a retired name of the same model is no fallback" },
        { PRO, "gemini-3.1-flash-image-preview", "model_retired", "1K", IIMG_UPSTREAM,
          IIMG_AGAIN_NO, 1, 60, FLASH, false, "the successor of a retired fallback model is used" },
        { PRO, LITE, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, LITE, false,
          "a fallback model that accepts the size is used" },
        { PRO, LITE, "model_retired", "2K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "a fallback model that does not accept the size is not used" },
        { PRO, FLASH, "timeout", "1K", IIMG_UPSTREAM_TIMEOUT, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "a failure that may be billed does not lead to the fallback model" },
        { PRO, FLASH, "provider_reply", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "an invalid response does not lead to the fallback model" },
        { PRO, FLASH, "provider_key", "1K", IIMG_UNAVAILABLE, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "a refused key does not lead to the fallback model" },
        { PRO, FLASH, "no_image", "1K", IIMG_UPSTREAM, IIMG_AGAIN_PAID, 1, 60, PRO, true,
          "a response without a picture is retried" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_interval_time_t wait = -1;
        bool again;

        begin(context, rows[i].model, rows[i].fallback);
        generation.request.resolution = rows[i].resolution;
        generation.retry.calls = rows[i].calls;
        again = iimg_gemini_again(context, &generation,
                                  failure(context, rows[i].code, rows[i].kind, rows[i].again),
                                  now + (60 - rows[i].left) * SECOND, &wait);
        tap_ok(again == (rows[i].asked != NULL), "%s", rows[i].sentence);
        tap_is(generation.request.model, rows[i].asked ? rows[i].asked : rows[i].model,
               "%s: the model", rows[i].sentence);
        tap_ok(rows[i].waits ? wait > 0 : wait == 0, "%s: %s", rows[i].sentence,
               rows[i].waits ? "after a wait" : "without a wait");
        tap_is_number(generation.retry.calls, again && !rows[i].waits ? 0 : rows[i].calls,
                      "%s: the count of calls", rows[i].sentence);
        tap_is_number(generation.warnings->nelts,
                      again && (!rows[i].waits || rows[i].again == IIMG_AGAIN_PAID),
                      "%s: the warnings", rows[i].sentence);
    }
    /* Both are asked again only once. */
    for (int i = 0; i < 2; i++) {
        apr_interval_time_t wait;

        tap_ok(iimg_gemini_again(context, &generation,
                                 failure(context, "no_image", IIMG_UPSTREAM, IIMG_AGAIN_PAID), now,
                                 &wait)
                   == false,
               "a response that may be billed is requested twice at most");
    }
    tap_is_number(generation.warnings->nelts, 1, "a billed retry adds one warning");
    test_waits(context);
}

/* The state of the breaker for the model and the key after a call. */
static void test_breaker(iimg_context_t *context)
{
    static const struct {
        const char *sentence;
        iimg_http_outcome_t outcome;
        int status;
        const char *body;
        bool model, key;
    } rows[] = {
        { "a picture closes both breakers", IIMG_HTTP_OK, 200, PICTURE, false, false },
        { "an overload opens the breaker of the model", IIMG_HTTP_OK, 503, "", true, false },
        { "a used-up quota opens no breaker", IIMG_HTTP_OK, 429, "", false, false },
        { "a refused key opens the breaker of the key", IIMG_HTTP_OK, 403, "", false, true },
        { "a bad request opens no breaker", IIMG_HTTP_OK, 400, "", false, false },
        { "a failed connection opens no breaker", IIMG_HTTP_CONNECT, 0, "", false, false },
    };
    iimg_generator_result_t *result;
    iimg_http_request_t http;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err;

        begin(context, PRO, NULL);
        tap_ok(!prepare(context, &http, now), "%s: the call before it is let through",
               rows[i].sentence);
        finish(context, rows[i].outcome, rows[i].status, rows[i].body, &result);
        tap_ok(!generation.reported_to_breaker, "%s", rows[i].sentence);
        tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now) > 0, rows[i].model,
                      "%s: the model", rows[i].sentence);
        tap_is_number(iimg_breaker_ask(settings.breaker, KEY, now) > 0, rows[i].key, "%s: the key",
                      rows[i].sentence);
        tap_is_number(iimg_breaker_ask(settings.breaker, FLASH, now), 0, "%s: no other model",
                      rows[i].sentence);
        err = prepare(context, &http, now + SECOND);
        tap_is(err ? err->code : NULL,
               rows[i].model ? "provider_busy"
               : rows[i].key ? "provider_key"
                             : NULL,
               "%s: the error of the next call", rows[i].sentence);
        tap_ok(!err
                   || (strcmp(err->billed, "f") == 0 && err->retry_after == 14
                       && err->kind == IIMG_UNAVAILABLE),
               "%s: the error is not billed and has a retry time", rows[i].sentence);
    }
}

/* A probe that shows nothing closes nothing; the next call is the probe. */
static void test_probe(iimg_context_t *context)
{
    static const struct {
        iimg_http_outcome_t outcome;
        int status;
        bool closed;
        const char *sentence;
    } rows[] = {
        { IIMG_HTTP_CONNECT, 0, false, "a probe without a connection closes nothing" },
        { IIMG_HTTP_TIMED_OUT, 0, false, "a probe that times out closes nothing" },
        { IIMG_HTTP_BROKEN, 0, false, "a probe with a broken response closes nothing" },
        { IIMG_HTTP_NOT_KEPT, 0, false, "a probe without disk space closes nothing" },
        { IIMG_HTTP_OK, 403, false,
          "a probe with a refused key does not close the breaker of the model" },
        { IIMG_HTTP_OK, 429, true, "a probe with a used-up quota closes the breaker" },
        { IIMG_HTTP_OK, 400, true, "a rejected probe closes the breaker" },
    };
    iimg_generator_result_t *result;
    iimg_http_request_t http;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(context, PRO, NULL);
        iimg_breaker_report(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
        tap_ok(!prepare(context, &http, now), "%s: the probe is let through", rows[i].sentence);
        finish(context, rows[i].outcome, rows[i].status, "", &result);
        iimg_breaker_ask(settings.breaker, PRO, now);
        tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now) == 0, rows[i].closed, "%s",
                      rows[i].sentence);
    }
    /* A probe of the model that the key's breaker stops is no probe. */
    begin(context, PRO, NULL);
    iimg_breaker_report(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
    iimg_breaker_report(settings.breaker, KEY, IIMG_BREAKER_HOPELESS, now);
    tap_ok(prepare(context, &http, now) != NULL, "the breaker of the key stops a probe");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0,
                  "after a probe that was not sent the next call is the probe");
    /* Nor is one that was not sent. */
    begin(context, PRO, NULL);
    settings.gemini_key = NULL;
    iimg_breaker_report(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
    tap_ok(prepare(context, &http, now) != NULL, "a probe cannot be built");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0,
                  "after a probe that was not sent the next call is the probe");
}

static void test_end(iimg_context_t *context)
{
    iimg_generator_result_t *result = NULL;

    begin(context, "gemini-3-pro-image-preview", NULL);
    tap_is(generation.request.model, PRO, "the successor of a retired model is used");
    iimg_gemini_end(context, &generation, &result);
    tap_ok(result && !result->data && !result->cost && result->warnings->nelts == 1,
           "a generation without a picture has its warnings");
    result->warnings = apr_array_make(context->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(result->warnings, const char *) = "of the picture";
    iimg_gemini_end(context, &generation, &result);
    tap_ok(result->warnings->nelts == 2
               && strcmp(APR_ARRAY_IDX(result->warnings, 1, const char *), "of the picture") == 0,
           "a result with a picture has the warnings of both");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_cost(context);
    test_request(context);
    test_fallback(context);
    test_breaker(context);
    test_probe(context);
    test_end(context);
    work_end(context);
    return tap_done();
}
