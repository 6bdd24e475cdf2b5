/* error.c - maps failed calls to Gemini to errors, by tables. */
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
    "The image provider refused this server's key. An operator must correct it.";
static const char request_refused[] =
    "The image provider did not accept the request. An operator must check the log.";
static const char busy[] = "The image provider is overloaded. Try again later.";
static const char failed[] = "The image provider failed with an internal error. Try again later.";
static const char too_late[] = "The image provider did not respond in time. Try again later.";
static const char unusable[] = "The image provider's response was invalid. Try again.";

/* By outcome, for calls without a response. */
static const struct {
    iimg_error_kind_t kind;
    const char *code, *sentence;
    iimg_again_t again;
} outcomes[] = {
    [IIMG_HTTP_CONNECT] = { IIMG_UNAVAILABLE, "provider_down",
                            "The image provider cannot be reached.", IIMG_AGAIN_FREE },
    /* The timeout is that of the whole generation: no time is left for a retry. */
    [IIMG_HTTP_TIMED_OUT] = { IIMG_UPSTREAM_TIMEOUT, "timeout", too_late, IIMG_AGAIN_NO },
    [IIMG_HTTP_BROKEN] = { IIMG_UPSTREAM, "provider_reply", unusable, IIMG_AGAIN_PAID },
    [IIMG_HTTP_TOO_LARGE] = { IIMG_UPSTREAM, "provider_reply", unusable, IIMG_AGAIN_NO },
    [IIMG_HTTP_NOT_KEPT] = { IIMG_UNAVAILABLE, "spool_down",
                             "The server has no disk space for the image provider's response. "
                             "An operator must free some.",
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
    const char *after_model; /* rest of the sentence, after the model's name; NULL: no name */
} problem_t;

/* By status, for error responses. The first matching row counts. */
static const problem_t problems[] = {
    { 400, 400, NULL, "API_KEY_INVALID", IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO,
      key_refused, NULL },
    { 400, 400, "FAILED_PRECONDITION", NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO,
      "The image provider does not serve this server's account. An operator must check its "
      "billing and region.",
      NULL },
    { 401, 401, NULL, NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, key_refused, NULL },
    { 403, 403, NULL, NULL, IIMG_UNAVAILABLE, "provider_key", IIMG_AGAIN_NO, key_refused, NULL },
    { 404, 404, NULL, NULL, IIMG_UPSTREAM, "model_retired", IIMG_AGAIN_NO,
      "The image provider does not know the model ",
      ". An operator must set another one with IdentityImgGeminiModel." },
    { 408, 408, NULL, NULL, IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, too_late, NULL },
    { 429, 429, NULL, NULL, IIMG_LIMITED, "provider_busy", IIMG_AGAIN_FREE,
      "This server has used up its quota at the image provider. Try again later.", NULL },
    { 504, 504, NULL, NULL, IIMG_UPSTREAM_TIMEOUT, "timeout", IIMG_AGAIN_PAID, too_late, NULL },
    { 400, 499, NULL, NULL, IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, request_refused,
      NULL },
    { 501, 501, NULL, NULL, IIMG_UPSTREAM, "provider_request", IIMG_AGAIN_NO, request_refused,
      NULL },
    { 500, 500, NULL, NULL, IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, failed, NULL },
    { 500, 599, NULL, NULL, IIMG_UNAVAILABLE, "provider_busy", IIMG_AGAIN_FREE, busy, NULL },
    { 0, 999, NULL, NULL, IIMG_UPSTREAM, "provider_reply", IIMG_AGAIN_NO, unusable, NULL },
};

/* The contents of an error response; "" and 0 for what is absent. */
typedef struct refusal_t {
    int code; /* the HTTP status in the body */
    const char *status, *reason, *message;
    int retry_after; /* seconds */
    bool used_up;    /* no retry helps: there is no quota at all, or none left today */
    bool daily;      /* the daily quota is used up, until midnight in California */
} refusal_t;

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

/* @return the seconds of "37", "37s" or "36.2s", rounded up; 0 for anything else */
static int parse_seconds(const char *text)
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

/* Retry-After has seconds or a date. */
static int read_retry_after(const iimg_http_response_t *response)
{
    const char *value = apr_table_get(response->headers, "Retry-After");
    apr_time_t date;

    if (!value) {
        return 0;
    }
    if (isdigit((unsigned char)*value)) {
        return parse_seconds(value);
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

/* A quotaId is such as "GenerateRequestsPerDayPerProject". A quotaValue of "0" means no quota. */
static void read_violations(const json_t *violations, refusal_t *refusal)
{
    json_t *violation;
    size_t i;

    json_array_foreach (violations, i, violation) {
        const char *value = iimg_gemini_text(violation, "quotaValue");
        bool never = value && strcmp(value, "0") == 0;

        refusal->daily |= !never && is_of_the_day(violation);
        refusal->used_up |= never || refusal->daily;
    }
}

static void read_details(apr_pool_t *pool, const json_t *details, const char *key,
                         refusal_t *refusal)
{
    json_t *detail;
    size_t i;

    json_array_foreach (details, i, detail) {
        const char *reason = iimg_gemini_text(detail, "reason");
        const char *delay = iimg_gemini_text(detail, "retryDelay");

        if (reason && !*refusal->reason) {
            refusal->reason = quote(pool, reason, key);
        }
        if (delay) {
            refusal->retry_after = parse_seconds(delay);
        }
        read_violations(iimg_gemini_member(detail, "violations"), refusal);
    }
}

/* Some responses have it only in the message: "... limit: 0, model: ..." */
static bool says_no_quota(const char *message)
{
    const char *limit = strstr(message, "limit: 0");

    return limit && !isdigit((unsigned char)limit[8]) && limit[8] != '.';
}

/* Read {"error": {...}}, the same in an array, or {"error": "text"}. @return false if it is none */
static bool read_error(apr_pool_t *pool, const json_t *root, const char *key, refusal_t *refusal)
{
    json_t *error = iimg_gemini_member(json_is_array(root) ? json_array_get(root, 0) : root,
                                       "error");

    if (!error) {
        return false;
    }
    if (json_is_string(error)) {
        refusal->message = quote(pool, json_string_value(error), key);
        return true;
    }
    refusal->code = (int)json_integer_value(iimg_gemini_member(error, "code"));
    refusal->status = quote(pool, iimg_gemini_text(error, "status"), key);
    refusal->message = quote(pool, iimg_gemini_text(error, "message"), key);
    read_details(pool, iimg_gemini_member(error, "details"), key, refusal);
    refusal->used_up |= says_no_quota(refusal->message);
    return true;
}

static refusal_t read_refusal(apr_pool_t *pool, const iimg_http_response_t *response,
                              const char *key)
{
    refusal_t refusal = { .status = "", .reason = "", .message = "" };
    json_t *root = json_loadb(response->body, response->length, JSON_ALLOW_NUL, NULL);

    if (!read_error(pool, root, key, &refusal)) {
        refusal.message = iimg_gemini_quote(pool, response->body, response->length, key);
    }
    json_decref(root);
    if (refusal.retry_after == 0) {
        refusal.retry_after = read_retry_after(response);
    }
    return refusal;
}

/* Deciding ------------------------------------------------------------------------------------ */

static bool fits(const char *wanted, const char *given)
{
    return !wanted || strcmp(wanted, given) == 0;
}

static const problem_t *find_problem(int status, const refusal_t *refusal)
{
    const problem_t *problem = problems;

    while (problem < problems + sizeof(problems) / sizeof(problems[0]) - 1
           && (status < problem->from || status > problem->to
               || !fits(problem->status, refusal->status)
               || !fits(problem->reason, refusal->reason))) {
        problem++;
    }
    return problem;
}

static iimg_error_t *make_connection_error(apr_pool_t *pool, const char *key,
                                           const iimg_http_response_t *response)
{
    iimg_error_t *err = iimg_error_with_detail(
        pool, outcomes[response->outcome].kind, outcomes[response->outcome].code,
        outcomes[response->outcome].sentence, "%s", quote(pool, response->problem, key));

    err->again = outcomes[response->outcome].again;
    err->billed = response->outcome == IIMG_HTTP_CONNECT ? "f" : NULL;
    return err;
}

/* The provider's delay is for the quota of a minute, and meaningless for that of a day. */
static void set_retry_after(apr_pool_t *pool, const refusal_t *refusal, iimg_error_t *err)
{
    int seconds;

    if (!refusal->daily || err->kind != IIMG_LIMITED) {
        iimg_error_retry(err, refusal->retry_after);
        return;
    }
    seconds = iimg_gemini_seconds_to_reset(apr_time_now());
    iimg_error_retry(err, seconds);
    err->message = apr_psprintf(pool,
                                "This server has used up its daily quota at the image provider. "
                                "Try again in %d %s, after midnight in California.",
                                seconds < 7200 ? (seconds + 59) / 60 : (seconds + 3599) / 3600,
                                seconds < 7200 ? seconds > 60 ? "minutes" : "minute" : "hours");
}

static iimg_error_t *make_response_error(apr_pool_t *pool, const char *key, const char *model,
                                         const iimg_http_response_t *response)
{
    refusal_t refusal = read_refusal(pool, response, key);
    int status = response->status == 200 ? refusal.code : response->status;
    const problem_t *problem = find_problem(status, &refusal);
    iimg_error_t *err = iimg_error_with_code(pool, problem->kind, problem->code, "%s%s%s",
                                             problem->sentence, problem->after_model ? model : "",
                                             problem->after_model ? problem->after_model : "");

    set_retry_after(pool, &refusal, err);
    err->again = refusal.used_up ? IIMG_AGAIN_NO : problem->again;
    /* Errors are not billed. After a timeout the provider may have finished the picture. */
    err->billed = status >= 400 && problem->kind != IIMG_UPSTREAM_TIMEOUT ? "f" : NULL;
    return iimg_error_detail(err, "HTTP %d%s%s%s%s: %s", response->status,
                             *refusal.status ? " " : "", refusal.status, *refusal.reason ? " " : "",
                             refusal.reason, refusal.message);
}

iimg_error_t *iimg_gemini_error(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                const char *model, const iimg_http_response_t *response)
{
    /* An incomplete error response still tells more than that the connection broke. */
    bool has_response = response->outcome == IIMG_HTTP_OK
                        || (response->outcome == IIMG_HTTP_BROKEN && response->status >= 400);

    return has_response ? make_response_error(pool, settings->gemini_key, model, response)
                        : make_connection_error(pool, settings->gemini_key, response);
}
