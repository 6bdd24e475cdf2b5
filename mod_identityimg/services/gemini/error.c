/* error.c - the tables that turn failed calls into errors. */
#include "services/gemini/error.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <apr_date.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/json/json.h"
#include "services/gemini/quota.h"

#define MAX_QUOTE 500

static const char key_refused[] =
    "The image provider refused this server's key; an operator must look at it.";
static const char request_refused[] =
    "The image provider did not accept the request; an operator must look at it.";
static const char busy[] =
    "The image provider is overloaded at the moment. Please try again later.";
static const char failed[] =
    "The image provider failed with an internal error. Please try again later.";
static const char too_late[] = "The image provider did not answer in time. Please try again later.";
static const char unusable[] = "The image provider's answer was not usable. Please try again.";

/* No response. */
static const struct {
    iimg_error_kind_t kind;
    const char *code, *sentence;
    iimg_again_t again;
} outcomes[] = {
    [IIMG_HTTP_CONNECT] = { IIMG_UNAVAILABLE, "provider_down",
                            "The image provider cannot be reached at the moment.",
                            IIMG_AGAIN_FREE },
    /* All the time there was is over. */
    [IIMG_HTTP_TIMED_OUT] = { IIMG_UPSTREAM_TIMEOUT, "timeout", too_late, IIMG_AGAIN_NO },
    [IIMG_HTTP_BROKEN] = { IIMG_UPSTREAM, "provider_reply", unusable, IIMG_AGAIN_PAID },
    [IIMG_HTTP_TOO_LARGE] = { IIMG_UPSTREAM, "provider_reply", unusable, IIMG_AGAIN_NO },
    [IIMG_HTTP_NOT_KEPT] = { IIMG_UNAVAILABLE, "spool_down",
                             "This server has no room to receive the image provider's answer; an "
                             "operator must look at it.",
                             IIMG_AGAIN_NO },
};

typedef struct problem_t {
    int from, to;       /* HTTP status */
    const char *status; /* google.rpc.Code, NULL: any */
    const char *reason; /* google.rpc.ErrorInfo, NULL: any */
    iimg_error_kind_t kind;
    const char *code;
    iimg_again_t again;
    const char *sentence;
    const char *behind_model; /* goes on behind the model's name; NULL: the name is not told */
} problem_t;

/* A response that says no; the first row that fits counts. */
static const problem_t problems[] = {
    { 400, 400, NULL, "API_KEY_INVALID", IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO,
      key_refused, NULL },
    { 400, 400, "FAILED_PRECONDITION", NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO,
      "The image provider does not serve this server's account; an operator must look at its "
      "billing and region.",
      NULL },
    { 401, 401, NULL, NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, key_refused, NULL },
    { 403, 403, NULL, NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, key_refused, NULL },
    { 404, 404, NULL, NULL, IIMG_UPSTREAM, "model_retired", IIMG_AGAIN_NO,
      "The image provider does not know the model ",
      "; an operator must name another with IdentityImgGeminiModel." },
    { 408, 408, NULL, NULL, IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, too_late, NULL },
    { 429, 429, NULL, NULL, IIMG_LIMITED, "provider_busy", IIMG_AGAIN_FREE,
      "This server has used up what the image provider allows it for now. Please try again later.",
      NULL },
    { 504, 504, NULL, NULL, IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, too_late, NULL },
    { 400, 499, NULL, NULL, IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, request_refused,
      NULL },
    { 501, 501, NULL, NULL, IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, request_refused,
      NULL },
    { 500, 500, NULL, NULL, IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, failed, NULL },
    { 500, 599, NULL, NULL, IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, busy, NULL },
    { 0, 999, NULL, NULL, IIMG_UPSTREAM, "provider_reply", IIMG_AGAIN_NO, unusable, NULL },
};

/* What an error body says; "" and 0 where it says nothing. */
typedef struct said_t {
    int code; /* its own idea of the HTTP status */
    const char *status, *reason, *message;
    int retry_after; /* seconds */
    bool used_up;    /* waiting for a while does not help: no quota at all, or the day's */
    bool daily;      /* the day's: there is more from midnight on, in California */
} said_t;

/* Texts --------------------------------------------------------------------------------------- */

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

const char *iimg_gemini_quote(apr_pool_t *pool, const char *text, apr_size_t length,
                              const char *key)
{
    static const char mask[] = "[key]";
    apr_size_t key_length = key ? strlen(key) : 0;
    char *out = apr_palloc(pool, MAX_QUOTE + sizeof(mask));
    const char *end = text + length;
    apr_size_t n = 0;

    while (text < end && n < MAX_QUOTE) {
        if (key_length > 0 && (apr_size_t)(end - text) >= key_length
            && memcmp(text, key, key_length) == 0) {
            memcpy(out + n, mask, sizeof(mask) - 1);
            n += sizeof(mask) - 1;
            text += key_length;
            continue;
        }
        out[n++] = iscntrl((unsigned char)*text) ? ' ' : *text;
        text++;
    }
    n = n < MAX_QUOTE ? n : MAX_QUOTE;
    while (text < end && n > 0 && is_inside_character(out[n - 1])) {
        n--;
    }
    if (text < end && n > 0 && (out[n - 1] & 0x80)) {
        n--;
    }
    out[n] = '\0';
    return out;
}

static const char *quote(apr_pool_t *pool, const char *text, const char *key)
{
    return text ? iimg_gemini_quote(pool, text, strlen(text), key) : "";
}

/* Reading ------------------------------------------------------------------------------------- */

json_t *iimg_gemini_member(const json_t *object, const char *camel)
{
    json_t *value = json_object_get(object, camel);
    char snake[64], *to = snake;

    if (!value) {
        for (; *camel && to < snake + sizeof(snake) - 2; camel++) {
            if (isupper((unsigned char)*camel)) {
                *to++ = '_';
            }
            *to++ = (char)tolower((unsigned char)*camel);
        }
        *to = '\0';
        value = json_object_get(object, snake);
    }
    return json_is_null(value) ? NULL : value;
}

const char *iimg_gemini_text(const json_t *object, const char *camel)
{
    const char *text = json_string_value(iimg_gemini_member(object, camel));

    return text && *text ? text : NULL;
}

/* Whole seconds of "37", "37s" or "36.2s", rounded up; 0 when it is none of these. */
static int seconds_of(const char *text)
{
    int seconds = 0;

    for (; isdigit((unsigned char)*text); text++) {
        seconds = seconds * 10 + (*text - '0');
        if (seconds > IIMG_GEMINI_MAX_RETRY_AFTER) {
            return IIMG_GEMINI_MAX_RETRY_AFTER;
        }
    }
    if (*text == '.' && strspn(text + 1, "0") < strspn(text + 1, "0123456789")) {
        seconds++;
    }
    return seconds < IIMG_GEMINI_MAX_RETRY_AFTER ? seconds : IIMG_GEMINI_MAX_RETRY_AFTER;
}

/* Retry-After: seconds, or a date. */
static int header_seconds(const iimg_http_response_t *response)
{
    const char *value = apr_table_get(response->headers, "Retry-After");
    apr_time_t date;

    if (!value) {
        return 0;
    }
    if (isdigit((unsigned char)*value)) {
        return seconds_of(value);
    }
    date = apr_date_parse_http(value) - apr_time_now();
    if (date <= 0) {
        return 0;
    }
    return date < apr_time_from_sec(IIMG_GEMINI_MAX_RETRY_AFTER) ? (int)apr_time_sec(date) + 1
                                                                 : IIMG_GEMINI_MAX_RETRY_AFTER;
}

static bool is_of_the_day(const json_t *violation)
{
    static const char *const members[] = { "quotaId", "quotaMetric", "description" };
    static const char *const words[] = { "perday", "per_day", "per day" };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *text = iimg_gemini_text(violation, members[i]);

        for (size_t k = 0; text && k < sizeof(words) / sizeof(words[0]); k++) {
            if (strcasestr(text, words[k])) {
                return true;
            }
        }
    }
    return false;
}

/* "GenerateRequestsPerDayPerProject...", with a value of "0" for what was never allowed */
static void read_violations(const json_t *violations, said_t *said)
{
    json_t *violation;
    size_t i;

    json_array_foreach (violations, i, violation) {
        const char *value = iimg_gemini_text(violation, "quotaValue");
        bool never = value && strcmp(value, "0") == 0;

        said->daily |= !never && is_of_the_day(violation);
        said->used_up |= never || said->daily;
    }
}

static void read_details(apr_pool_t *pool, const json_t *details, const char *key, said_t *said)
{
    json_t *detail;
    size_t i;

    json_array_foreach (details, i, detail) {
        const char *reason = iimg_gemini_text(detail, "reason");
        const char *delay = iimg_gemini_text(detail, "retryDelay");

        if (reason && !*said->reason) {
            said->reason = quote(pool, reason, key);
        }
        if (delay) {
            said->retry_after = seconds_of(delay);
        }
        read_violations(iimg_gemini_member(detail, "violations"), said);
    }
}

/* Some say it in words alone: "... limit: 0, model: ..." */
static bool says_no_quota(const char *message)
{
    const char *limit = strstr(message, "limit: 0");

    return limit && !isdigit((unsigned char)limit[8]) && limit[8] != '.';
}

/* {"error": {...}}, the same in an array, or {"error": "words"}. @return false when it is none */
static bool read_error(apr_pool_t *pool, const json_t *root, const char *key, said_t *said)
{
    json_t *error = iimg_gemini_member(json_is_array(root) ? json_array_get(root, 0) : root,
                                       "error");

    if (!error) {
        return false;
    }
    if (json_is_string(error)) {
        said->message = quote(pool, json_string_value(error), key);
        return true;
    }
    said->code = (int)json_integer_value(iimg_gemini_member(error, "code"));
    said->status = quote(pool, iimg_gemini_text(error, "status"), key);
    said->message = quote(pool, iimg_gemini_text(error, "message"), key);
    read_details(pool, iimg_gemini_member(error, "details"), key, said);
    said->used_up |= says_no_quota(said->message);
    return true;
}

static said_t listen_to(apr_pool_t *pool, const iimg_http_response_t *response, const char *key)
{
    said_t said = { .status = "", .reason = "", .message = "" };
    json_t *root = json_loadb(response->body, response->length, JSON_ALLOW_NUL, NULL);

    if (!read_error(pool, root, key, &said)) {
        said.message = iimg_gemini_quote(pool, response->body, response->length, key);
    }
    json_decref(root);
    if (said.retry_after == 0) {
        said.retry_after = header_seconds(response);
    }
    return said;
}

/* Deciding ------------------------------------------------------------------------------------ */

static bool fits(const char *wanted, const char *given)
{
    return !wanted || strcmp(wanted, given) == 0;
}

static const problem_t *problem_of(int status, const said_t *said)
{
    const problem_t *problem = problems;

    while (problem < problems + sizeof(problems) / sizeof(problems[0]) - 1
           && (status < problem->from || status > problem->to
               || !fits(problem->status, said->status) || !fits(problem->reason, said->reason))) {
        problem++;
    }
    return problem;
}

static iimg_error_t *no_response(apr_pool_t *pool, const char *key,
                                 const iimg_http_response_t *response)
{
    iimg_error_t *err = iimg_error(pool, outcomes[response->outcome].kind, "%s",
                                   outcomes[response->outcome].sentence);

    err->again = outcomes[response->outcome].again;
    err->billed = response->outcome == IIMG_HTTP_CONNECT ? "f" : NULL;
    iimg_error_code(err, outcomes[response->outcome].code);
    return iimg_error_detail(err, "%s", quote(pool, response->problem, key));
}

/* The provider's own delay is for a minute's quota, and means nothing for a day's. */
static void say_when(apr_pool_t *pool, const said_t *said, iimg_error_t *err)
{
    int seconds;

    if (!said->daily || err->kind != IIMG_LIMITED) {
        iimg_error_retry(err, said->retry_after);
        return;
    }
    seconds = iimg_gemini_seconds_to_reset(apr_time_now());
    iimg_error_retry(err, seconds);
    err->message = apr_psprintf(pool,
                                "This server has used up what the image provider allows it for "
                                "today. Please try again in %d %s, after midnight in California.",
                                seconds < 7200 ? (seconds + 59) / 60 : (seconds + 3599) / 3600,
                                seconds < 7200 ? seconds > 60 ? "minutes" : "minute" : "hours");
}

static iimg_error_t *negative_response(apr_pool_t *pool, const char *key, const char *model,
                                       const iimg_http_response_t *response)
{
    said_t said = listen_to(pool, response, key);
    int status = response->status == 200 ? said.code : response->status;
    const problem_t *problem = problem_of(status, &said);
    iimg_error_t *err = iimg_error(pool, problem->kind, "%s%s%s", problem->sentence,
                                   problem->behind_model ? model : "",
                                   problem->behind_model ? problem->behind_model : "");

    iimg_error_code(err, problem->code);
    say_when(pool, &said, err);
    err->again = said.used_up ? IIMG_AGAIN_NO : problem->again;
    /* Who says no does not charge; who was too late has perhaps drawn it. */
    err->billed = status >= 400 && problem->kind != IIMG_UPSTREAM_TIMEOUT ? "f" : NULL;
    return iimg_error_detail(err, "HTTP %d%s%s%s%s: %s", response->status, *said.status ? " " : "",
                             said.status, *said.reason ? " " : "", said.reason, said.message);
}

iimg_error_t *iimg_gemini_error(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                const char *model, const iimg_http_response_t *response)
{
    /* A refusal that broke off says more than that it broke off. */
    bool heard = response->outcome == IIMG_HTTP_OK
                 || (response->outcome == IIMG_HTTP_BROKEN && response->status >= 400);

    return heard ? negative_response(pool, settings->gemini_key, model, response)
                 : no_response(pool, settings->gemini_key, response);
}
