/* error_test.c - errors of failed calls: kind, code, retry and its pause, billing, log. */
#include "services/gemini/error.h"
#include "tap.h"
#include "work.h"

#define KEY         "AQ.secret-key-0123"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define ERROR(members)   "{\"error\": {" members "}}"
#define QUOTA(violation) ERROR("\"details\": [{\"violations\": [{" violation "}]}]")
#define DETAIL(members)  ERROR("\"details\": [{" members "}]")

static const struct {
    const char *sentence;
    iimg_http_outcome_t outcome;
    int status;
    const char *body;
    iimg_error_kind_t kind;
    const char *code;
    iimg_again_t again;
    const char *billed; /* "f"; NULL: unknown */
    int retry;
} failures[] = {
    { "nothing was sent", IIMG_HTTP_CONNECT, 0, "", IIMG_UNAVAILABLE, "provider_down",
      IIMG_AGAIN_FREE, "f", 0 },
    { "the time is over", IIMG_HTTP_TIMED_OUT, 0, "", IIMG_UPSTREAM_TIMEOUT, "timeout",
      IIMG_AGAIN_NO, NULL, 0 },
    { "the answer broke off", IIMG_HTTP_BROKEN, 0, "", IIMG_UPSTREAM, "provider_reply",
      IIMG_AGAIN_PAID, NULL, 0 },
    { "a picture's answer broke off", IIMG_HTTP_BROKEN, 200, "", IIMG_UPSTREAM, "provider_reply",
      IIMG_AGAIN_PAID, NULL, 0 },
    { "a redirect broke off", IIMG_HTTP_BROKEN, 399, "", IIMG_UPSTREAM, "provider_reply",
      IIMG_AGAIN_PAID, NULL, 0 },
    { "a refusal broke off", IIMG_HTTP_BROKEN, 400, "", IIMG_UPSTREAM, "provider_request",
      IIMG_AGAIN_NO, "f", 0 },
    { "a server error broke off", IIMG_HTTP_BROKEN, 503, "", IIMG_UNAVAILABLE, "provider_busy",
      IIMG_AGAIN_FREE, "f", 0 },
    { "the time was over within a refusal", IIMG_HTTP_TIMED_OUT, 503, "", IIMG_UPSTREAM_TIMEOUT,
      "timeout", IIMG_AGAIN_NO, NULL, 0 },
    { "the answer is too large", IIMG_HTTP_TOO_LARGE, 200, "", IIMG_UPSTREAM, "provider_reply",
      IIMG_AGAIN_NO, NULL, 0 },
    { "the answer finds no room", IIMG_HTTP_NOT_KEPT, 200, "", IIMG_UNAVAILABLE, "spool_down",
      IIMG_AGAIN_NO, NULL, 0 },
    { "400", IIMG_HTTP_OK, 400, "", IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, "f", 0 },
    { "400 for the key", IIMG_HTTP_OK, 400, DETAIL("\"reason\": \"API_KEY_INVALID\""),
      IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, "f", 0 },
    { "the first reason counts", IIMG_HTTP_OK, 400,
      ERROR("\"details\": [{\"reason\": \"X\"}, {\"reason\": \"API_KEY_INVALID\"}]"), IIMG_UPSTREAM,
      "provider_request", IIMG_AGAIN_NO, "f", 0 },
    { "400 for the account", IIMG_HTTP_OK, 400, ERROR("\"status\": \"FAILED_PRECONDITION\""),
      IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, "f", 0 },
    { "500 with that status", IIMG_HTTP_OK, 500, ERROR("\"status\": \"FAILED_PRECONDITION\""),
      IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "401", IIMG_HTTP_OK, 401, "", IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, "f", 0 },
    { "402", IIMG_HTTP_OK, 402, "", IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, "f", 0 },
    { "403", IIMG_HTTP_OK, 403, "", IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, "f", 0 },
    { "404", IIMG_HTTP_OK, 404, "", IIMG_UPSTREAM, "model_retired", IIMG_AGAIN_NO, "f", 0 },
    { "408", IIMG_HTTP_OK, 408, "", IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, NULL, 0 },
    { "429", IIMG_HTTP_OK, 429, "", IIMG_LIMITED, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "429 with a delay", IIMG_HTTP_OK, 429, DETAIL("\"retryDelay\": \"37s\""), IIMG_LIMITED,
      "provider_busy", IIMG_AGAIN_FREE, "f", 37 },
    { "a minute's quota", IIMG_HTTP_OK, 429,
      QUOTA("\"quotaId\": \"RequestsPerMinute\", \"quotaValue\": \"10\""), IIMG_LIMITED,
      "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "a quota of nothing", IIMG_HTTP_OK, 429,
      QUOTA("\"quotaId\": \"RequestsPerMinute\", \"quotaValue\": \"0\""), IIMG_LIMITED,
      "provider_busy", IIMG_AGAIN_NO, "f", 0 },
    { "a day's quota of nothing", IIMG_HTTP_OK, 429,
      QUOTA("\"quotaId\": \"RequestsPerDay\", \"quotaValue\": \"0\""), IIMG_LIMITED,
      "provider_busy", IIMG_AGAIN_NO, "f", 0 },
    { "no quota, in words", IIMG_HTTP_OK, 429, ERROR("\"message\": \"limit: 0, model: x\""),
      IIMG_LIMITED, "provider_busy", IIMG_AGAIN_NO, "f", 0 },
    { "no quota at the words' end", IIMG_HTTP_OK, 429, ERROR("\"message\": \"limit: 0\""),
      IIMG_LIMITED, "provider_busy", IIMG_AGAIN_NO, "f", 0 },
    { "a quota that begins like none", IIMG_HTTP_OK, 429, ERROR("\"message\": \"limit: 05\""),
      IIMG_LIMITED, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "a quota of a fraction", IIMG_HTTP_OK, 429, ERROR("\"message\": \"limit: 0.5\""),
      IIMG_LIMITED, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "499", IIMG_HTTP_OK, 499, "", IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, "f", 0 },
    { "500", IIMG_HTTP_OK, 500, "", IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "501", IIMG_HTTP_OK, 501, "", IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, "f", 0 },
    { "502", IIMG_HTTP_OK, 502, "", IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "503", IIMG_HTTP_OK, 503, "", IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "504", IIMG_HTTP_OK, 504, "", IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, NULL, 0 },
    { "599", IIMG_HTTP_OK, 599, "", IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "600", IIMG_HTTP_OK, 600, "", IIMG_UPSTREAM, "provider_reply", IIMG_AGAIN_NO, "f", 0 },
    { "302", IIMG_HTTP_OK, 302, "", IIMG_UPSTREAM, "provider_reply", IIMG_AGAIN_NO, NULL, 0 },
    { "200 that says 503", IIMG_HTTP_OK, 200, ERROR("\"code\": 503"), IIMG_UNAVAILABLE,
      "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "200 that says 504", IIMG_HTTP_OK, 200, ERROR("\"code\": 504"), IIMG_UPSTREAM_TIMEOUT,
      "timeout", IIMG_AGAIN_PAID, NULL, 0 },
    { "200 that says nothing", IIMG_HTTP_OK, 200, ERROR(""), IIMG_UPSTREAM, "provider_reply",
      IIMG_AGAIN_NO, NULL, 0 },
    { "503 that says 400", IIMG_HTTP_OK, 503, ERROR("\"code\": 400"), IIMG_UNAVAILABLE,
      "provider_busy", IIMG_AGAIN_FREE, "f", 0 },
    { "an array", IIMG_HTTP_OK, 400, "[" ERROR("\"status\": \"FAILED_PRECONDITION\"") "]",
      IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, "f", 0 },
};

static iimg_error_t *error_of(iimg_context_t *context, iimg_http_outcome_t outcome, int status,
                              const char *body)
{
    static const iimg_generator_settings_t settings = { .gemini_key = "the-key" };
    iimg_http_response_t response = { .outcome = outcome,
                                      .problem = "what curl says",
                                      .status = status,
                                      .body = body,
                                      .length = strlen(body),
                                      .headers = apr_table_make(context->pool, 1) };

    return iimg_gemini_error(context->pool, &settings, "a-model", &response);
}

/* A used-up daily quota lasts until midnight in California, whatever delay the response names. */
static void test_day(iimg_context_t *context)
{
    static const char *const violations[] = {
        "\"quotaId\": \"GenerateRequestsPerDayPerProject\"",
        "\"quotaMetric\": \"x/requests_per_day\"",
        "\"description\": \"10 per day\"",
    };

    for (size_t i = 0; i < sizeof(violations) / sizeof(violations[0]); i++) {
        iimg_error_t *err = error_of(
            context, IIMG_HTTP_OK, 429,
            apr_psprintf(
                context->pool,
                ERROR(
                    "\"details\": [{\"retryDelay\": \"7s\", \"violations\": [{%s, \"quotaValue\": \"10\"}]}]"),
                violations[i]));

        tap_ok(err->again == IIMG_AGAIN_NO, "a used-up daily quota is not retried: %s",
               violations[i]);
        tap_ok(strstr(err->message, "daily quota") && err->retry_after >= 1
                   && err->retry_after <= 90000,
               "a used-up daily quota says so, with the seconds until midnight: %s", violations[i]);
        err = error_of(
            context, IIMG_HTTP_OK, 503,
            apr_psprintf(
                context->pool,
                ERROR(
                    "\"details\": [{\"retryDelay\": \"7s\", \"violations\": [{%s, \"quotaValue\": \"10\"}]}]"),
                violations[i]));
        tap_is_number(err->retry_after, 7, "another error keeps the delay of the response: %s",
                      violations[i]);
    }
}

/* Without a response, or with a part of one. */
static void test_outcomes(iimg_context_t *context)
{
    static const iimg_generator_settings_t settings = { .gemini_key = KEY };

    static const struct {
        const char *sentence;
        iimg_http_outcome_t outcome;
        int status;
        iimg_error_kind_t kind;
        const char *code;
    } rows[] = {
        { "no connection", IIMG_HTTP_CONNECT, 0, IIMG_UNAVAILABLE, "provider_down" },
        { "no answer in time", IIMG_HTTP_TIMED_OUT, 0, IIMG_UPSTREAM_TIMEOUT, "timeout" },
        { "half an answer in time", IIMG_HTTP_TIMED_OUT, 200, IIMG_UPSTREAM_TIMEOUT, "timeout" },
        { "a reset", IIMG_HTTP_BROKEN, 0, IIMG_UPSTREAM, "provider_reply" },
        { "a cut answer", IIMG_HTTP_BROKEN, 200, IIMG_UPSTREAM, "provider_reply" },
        { "a cut refusal", IIMG_HTTP_BROKEN, 503, IIMG_UNAVAILABLE, "provider_busy" },
        { "too large an answer", IIMG_HTTP_TOO_LARGE, 200, IIMG_UPSTREAM, "provider_reply" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        iimg_http_response_t response = {
            .outcome = rows[i].outcome,
            .problem = "curl said " KEY,
            .status = rows[i].status,
            .headers = apr_table_make(context->pool, 1),
            .body = "{\"err",
            .length = 5,
        };
        iimg_error_t *err = iimg_gemini_error(context->pool, &settings, "m", &response);

        tap_ok(err && err->kind == rows[i].kind && strcmp(err->code, rows[i].code) == 0, "%s is %s",
               rows[i].sentence, rows[i].code);
        tap_ok(err && err->detail && !strstr(err->detail, KEY), "the detail of %s has no key",
               rows[i].sentence);
    }
}

static int retry_of(iimg_context_t *context, const char *delay, const char *header)
{
    static const iimg_generator_settings_t settings = { .gemini_key = KEY };
    const char *body = apr_psprintf(
        context->pool, DETAIL("%s"),
        delay ? apr_psprintf(context->pool, "\"retryDelay\": \"%s\"", delay) : "");
    iimg_http_response_t response = {
        .outcome = IIMG_HTTP_OK,
        .problem = "",
        .status = 429,
        .headers = apr_table_make(context->pool, 1),
        .body = body,
        .length = strlen(body),
    };

    if (header) {
        apr_table_set(response.headers, "Retry-After", header);
    }
    return iimg_gemini_error(context->pool, &settings, "m", &response)->retry_after;
}

static void test_retry_after(iimg_context_t *context)
{
    static const struct {
        const char *delay, *header;
        int seconds;
    } rows[] = {
        { "37s", NULL, 37 },
        { "36.2s", NULL, 37 },
        { "36.000s", NULL, 36 },
        { "0.5s", NULL, 1 },
        { "0s", NULL, 0 },
        { "3599.1s", NULL, 3600 },
        { "3600.5s", NULL, 3600 },
        { "86400s", NULL, 3600 },
        { "99999999999999999999s", NULL, 3600 },
        { "-5s", NULL, 0 },
        { "soon", NULL, 0 },
        { NULL, NULL, 0 },
        { NULL, "17", 17 },
        { NULL, "999999", 3600 },
        { "37s", "17", 37 },
        { NULL, "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { NULL, "Fri, 06 Nov 2093 08:49:37 GMT", 3600 },
        { NULL, "tomorrow", 0 },
    };
    char date[APR_RFC822_DATE_LEN];

    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_is_number(retry_of(context, rows[i].delay, rows[i].header), rows[i].seconds,
                      "RetryInfo %s and Retry-After %s", rows[i].delay ? rows[i].delay : "absent",
                      rows[i].header ? rows[i].header : "absent");
    }
    apr_rfc822_date(date, apr_time_now() + apr_time_from_sec(120));
    tap_ok(retry_of(context, NULL, date) >= 118 && retry_of(context, NULL, date) <= 121,
           "a date in two minutes is two minutes");
}

static void test_quote(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 1001);
    const char *quoted;

    memset(text, 'x', 1000);
    tap_is_number(strlen(iimg_gemini_quote(pool, text, 1000, KEY)), 500,
                  "a quote has at most 500 bytes");
    for (int i = 0; i < 1000; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    quoted = iimg_gemini_quote(pool, text, 999, NULL);
    tap_ok(strlen(quoted) <= 500 && strlen(quoted) % 2 == 0,
           "a quote never ends within a character");
    memcpy(text + 490, KEY, sizeof(KEY) - 1);
    tap_ok(!strstr(iimg_gemini_quote(pool, text, 1000, KEY), "AQ."),
           "a key at the end of a quote is masked");
    tap_is(iimg_gemini_quote(pool, "a\r\nb\x1b[0m", 8, NULL), "a  b [0m",
           "control characters become spaces");
    tap_is(iimg_gemini_quote(pool, "", 0, KEY), "", "an empty text stays empty");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        iimg_error_t *err = error_of(context, failures[i].outcome, failures[i].status,
                                     failures[i].body);

        tap_is(err->code, failures[i].code, "%s: the error has its code", failures[i].sentence);
        tap_is_number(err->kind, failures[i].kind, "%s: the error has its kind",
                      failures[i].sentence);
        tap_is_number(err->again, failures[i].again, "%s: the error says whether to retry",
                      failures[i].sentence);
        tap_is(err->billed, failures[i].billed, "%s: the error says whether it was billed",
               failures[i].sentence);
        tap_is_number(err->retry_after, failures[i].retry, "%s: the error says when to retry",
                      failures[i].sentence);
    }
    test_day(context);
    test_outcomes(context);
    test_retry_after(context);
    test_quote(context->pool);
    work_end(context);
    return tap_done();
}
