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
static iimg_gemini_t it;

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
    iimg_gemini_begin(context, &it, &settings, &request, now);
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
    return iimg_gemini_prepare(context, context->pool, &it, when, http);
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
    return iimg_gemini_finish(context, &it, &response, now, result);
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
        it.request.resolution = rows[i].resolution;
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
                      "... may take what is left of a minute, and a second at least");
        tap_ok(http.deadline == now + 60 * SECOND, "... and ends with the whole");
        tap_is_number(it.tries.calls, 1, "... is counted");
        tap_ok(!http.allow_http && http.max_response == 1000000,
               "... over TLS, with bounded answers");
    }
    tap_ok(!prepare(context, &http, now + SECOND + 1), "a call after a little more than a second");
    tap_is_number(http.timeout, 59, "... has 59 seconds, rounded up");
    it.tries.calls = 1;
    settings.gemini_key = NULL;
    tap_ok(prepare(context, &http, now) != NULL, "without a key nothing is sent");
    tap_is_number(it.tries.calls, 1, "... and nothing counted");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0, "... nor is the breaker told");
    tap_is(it.asked ? "asked" : "idle", "idle", "... which waits for no answer");
}

static void test_waits(iimg_context_t *context)
{
    iimg_error_t *err = failure(context, "provider_busy", IIMG_UNAVAILABLE, IIMG_AGAIN_FREE);
    apr_interval_time_t wait = -1;

    tap_ok(iimg_gemini_again(context, &it, err, now, &wait) && it.warnings->nelts == 1,
           "a free call after it adds no warning");
    begin(context, PRO, FLASH);
    err->retry_after = 40;
    tap_ok(iimg_gemini_again(context, &it, err, now + 20 * SECOND, &wait),
           "a model asks for a longer wait than there is time");
    tap_is(it.request.model, FLASH, "... another one is asked");
    tap_ok(wait == 0, "... at once");
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
          "a busy model is asked again" },
        { PRO, FLASH, "provider_busy", "1K", IIMG_UNAVAILABLE, IIMG_AGAIN_FREE, 3, 60, FLASH, false,
          "after two retries another one is" },
        { PRO, FLASH, "provider_busy", "1K", IIMG_LIMITED, IIMG_AGAIN_NO, 1, 60, FLASH, false,
          "at once where a quota is used up" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, FLASH, false,
          "or the model is gone" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 5, FLASH, false,
          "with five seconds left, too" },
        { PRO, FLASH, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 4, NULL, false,
          "not with four" },
        { PRO, NULL, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "without another one it is given up" },
        { PRO, PRO, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "the same one is no other" },
        { PRO, "gemini-3-pro-image-preview", "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1,
          60, NULL, false, "nor is its retired name" },
        { PRO, "gemini-3.1-flash-image-preview", "model_retired", "1K", IIMG_UPSTREAM,
          IIMG_AGAIN_NO, 1, 60, FLASH, false, "of a retired name the successor is asked" },
        { PRO, LITE, "model_retired", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, LITE, false,
          "a model that takes the size is asked" },
        { PRO, LITE, "model_retired", "2K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "one that does not take it is not" },
        { PRO, FLASH, "timeout", "1K", IIMG_UPSTREAM_TIMEOUT, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "what may have been billed goes to no other" },
        { PRO, FLASH, "provider_reply", "1K", IIMG_UPSTREAM, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "nor does an answer that was not usable" },
        { PRO, FLASH, "provider_key", "1K", IIMG_UNAVAILABLE, IIMG_AGAIN_NO, 1, 60, NULL, false,
          "nor a key that is refused" },
        { PRO, FLASH, "no_image", "1K", IIMG_UPSTREAM, IIMG_AGAIN_PAID, 1, 60, PRO, true,
          "an answer without a picture is asked for again" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_interval_time_t wait = -1;
        bool again;

        begin(context, rows[i].model, rows[i].fallback);
        it.request.resolution = rows[i].resolution;
        it.tries.calls = rows[i].calls;
        again = iimg_gemini_again(context, &it,
                                  failure(context, rows[i].code, rows[i].kind, rows[i].again),
                                  now + (60 - rows[i].left) * SECOND, &wait);
        tap_ok(again == (rows[i].asked != NULL), "%s", rows[i].sentence);
        tap_is(it.request.model, rows[i].asked ? rows[i].asked : rows[i].model, "... the model");
        tap_ok(rows[i].waits ? wait > 0 : wait == 0, "... %s",
               rows[i].waits ? "after a wait" : "without a wait");
        tap_is_number(it.tries.calls, again && !rows[i].waits ? 0 : rows[i].calls,
                      "... with calls of its own");
        tap_is_number(it.warnings->nelts,
                      again && (!rows[i].waits || rows[i].again == IIMG_AGAIN_PAID),
                      "... which the admin is told");
    }
    /* Both are asked again only once. */
    for (int i = 0; i < 2; i++) {
        apr_interval_time_t wait;

        tap_ok(iimg_gemini_again(context, &it,
                                 failure(context, "no_image", IIMG_UPSTREAM, IIMG_AGAIN_PAID), now,
                                 &wait)
                   == false,
               "an answer that may have been billed is asked for twice, not more");
    }
    tap_is_number(it.warnings->nelts, 1, "and one warning says so");
    test_waits(context);
}

/* What the breaker answers for the model and for the key, after a call that ended so. */
static void test_breaker(iimg_context_t *context)
{
    static const struct {
        const char *sentence;
        iimg_http_outcome_t outcome;
        int status;
        const char *body;
        bool model, key;
    } rows[] = {
        { "a picture closes both", IIMG_HTTP_OK, 200, PICTURE, false, false },
        { "an overload opens the model's", IIMG_HTTP_OK, 503, "", true, false },
        { "a quota opens none", IIMG_HTTP_OK, 429, "", false, false },
        { "a key that is refused opens the key's", IIMG_HTTP_OK, 403, "", false, true },
        { "a bad request opens none", IIMG_HTTP_OK, 400, "", false, false },
        { "silence opens none", IIMG_HTTP_CONNECT, 0, "", false, false },
    };
    iimg_generator_result_t *result;
    iimg_http_request_t http;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err;

        begin(context, PRO, NULL);
        tap_ok(!prepare(context, &http, now), "a call is let through");
        finish(context, rows[i].outcome, rows[i].status, rows[i].body, &result);
        tap_ok(!it.asked, "%s", rows[i].sentence);
        tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now) > 0, rows[i].model,
                      "... for the model");
        tap_is_number(iimg_breaker_ask(settings.breaker, KEY, now) > 0, rows[i].key,
                      "... for the key");
        tap_is_number(iimg_breaker_ask(settings.breaker, FLASH, now), 0,
                      "... and for no other model");
        err = prepare(context, &http, now + SECOND);
        tap_is(err ? err->code : NULL,
               rows[i].model ? "provider_busy"
               : rows[i].key ? "provider_key"
                             : NULL,
               "... the next call hears so");
        tap_ok(!err
                   || (strcmp(err->billed, "f") == 0 && err->retry_after == 14
                       && err->kind == IIMG_UNAVAILABLE),
               "... is not billed, and when to come again");
    }
}

/* A probe that failed without saying anything leaves the next call as the probe; it closes nothing.
 */
static void test_probe(iimg_context_t *context)
{
    static const struct {
        iimg_http_outcome_t outcome;
        int status;
        bool closed;
        const char *sentence;
    } rows[] = {
        { IIMG_HTTP_CONNECT, 0, false, "a probe that finds nobody closes nothing" },
        { IIMG_HTTP_TIMED_OUT, 0, false, "nor does one that gets no answer" },
        { IIMG_HTTP_BROKEN, 0, false, "nor one whose answer breaks off" },
        { IIMG_HTTP_NOT_KEPT, 0, false, "nor one whose answer finds no room" },
        { IIMG_HTTP_OK, 403, false, "nor one whose key is refused" },
        { IIMG_HTTP_OK, 429, true, "one that is told of a quota does" },
        { IIMG_HTTP_OK, 400, true, "so does one that is refused" },
    };
    iimg_generator_result_t *result;
    iimg_http_request_t http;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(context, PRO, NULL);
        iimg_breaker_tell(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
        tap_ok(!prepare(context, &http, now), "a probe is let through");
        finish(context, rows[i].outcome, rows[i].status, "", &result);
        iimg_breaker_ask(settings.breaker, PRO, now);
        tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now) == 0, rows[i].closed, "%s",
                      rows[i].sentence);
    }
    /* A probe of the model that the key's breaker stops is no probe. */
    begin(context, PRO, NULL);
    iimg_breaker_tell(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
    iimg_breaker_tell(settings.breaker, KEY, IIMG_BREAKER_HOPELESS, now);
    tap_ok(prepare(context, &http, now) != NULL, "a probe is stopped by the key's breaker");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0, "and the next call may be one");
    /* Nor is one that was not sent. */
    begin(context, PRO, NULL);
    settings.gemini_key = NULL;
    iimg_breaker_tell(settings.breaker, PRO, IIMG_BREAKER_FAILED, now - 15 * SECOND);
    tap_ok(prepare(context, &http, now) != NULL, "a probe cannot be sent");
    tap_is_number(iimg_breaker_ask(settings.breaker, PRO, now), 0, "and the next call may be one");
}

static void test_end(iimg_context_t *context)
{
    iimg_generator_result_t *result = NULL;

    begin(context, "gemini-3-pro-image-preview", NULL);
    tap_is(it.request.model, PRO, "the successor of a retired model is asked");
    iimg_gemini_end(context, &it, &result);
    tap_ok(result && !result->data && !result->cost && result->warnings->nelts == 1,
           "a generation without a picture has its warnings");
    result->warnings = apr_array_make(context->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(result->warnings, const char *) = "of the picture";
    iimg_gemini_end(context, &it, &result);
    tap_ok(result->warnings->nelts == 2
               && strcmp(APR_ARRAY_IDX(result->warnings, 1, const char *), "of the picture") == 0,
           "one with a picture has the picture's, too");
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
