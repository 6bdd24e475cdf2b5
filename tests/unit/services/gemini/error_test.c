/* error_test.c - whether a call that failed was billed, whether another one is worth it, and when.
 */
#include "services/gemini/error.h"
#include "tap.h"
#include "work.h"

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
} rows[] = {
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

/* A day's quota: until midnight in California, not the delay of the answer. */
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

        tap_ok(err->again == IIMG_AGAIN_NO, "a day's quota is not asked for again: %s",
               violations[i]);
        tap_ok(strstr(err->message, "for today") && err->retry_after >= 1
                   && err->retry_after <= 90000,
               "... before midnight there");
        err = error_of(
            context, IIMG_HTTP_OK, 503,
            apr_psprintf(
                context->pool,
                ERROR(
                    "\"details\": [{\"retryDelay\": \"7s\", \"violations\": [{%s, \"quotaValue\": \"10\"}]}]"),
                violations[i]));
        tap_is_number(err->retry_after, 7, "... which is for a quota alone");
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err = error_of(context, rows[i].outcome, rows[i].status, rows[i].body);

        tap_is(err->code, rows[i].code, "%s: its code", rows[i].sentence);
        tap_is_number(err->kind, rows[i].kind, "%s: its kind", rows[i].sentence);
        tap_is_number(err->again, rows[i].again, "%s: whether another call is worth it",
                      rows[i].sentence);
        tap_is(err->billed, rows[i].billed, "%s: whether it was billed", rows[i].sentence);
        tap_is_number(err->retry_after, rows[i].retry, "%s: when", rows[i].sentence);
    }
    test_day(context);
    work_end(context);
    return tap_done();
}
