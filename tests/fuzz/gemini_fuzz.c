/* gemini_fuzz.c - the first line has status, outcome and Retry-After of a provider's response; the
 * rest is its body. */
#include <apr_tables.h>
#include <jansson.h>
#include "base/json/cut.h"
#include "base/log.h"
#include "base/media_type.h"
#include "base/spool.h"
#include "base/text.h"
#include "fuzz.h"
#include "services/gemini/error.h"
#include "services/gemini/stream.h"
#include "services/gemini/reply.h"

#define KEY "AIza-secret" /* also in the dictionary: providers may echo it */

static bool enabled(void *baton, iimg_log_level_t level)
{
    (void)baton;
    (void)level;
    return true;
}

static void write_line(void *baton, const char *file, int line, iimg_log_level_t level,
                       const char *text)
{
    (void)baton;
    (void)file;
    (void)line;
    (void)level;
    fuzz_claim(!strstr(text, KEY), "no log line contains the key: %s", text);
}

static iimg_log_sink_t sink = { enabled, write_line, NULL };

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

/* Parse the first line: "200 0 37". */
static iimg_http_response_t response_of(apr_pool_t *pool, const char *data, size_t length)
{
    iimg_http_response_t response = { .outcome = IIMG_HTTP_OK, .problem = "", .status = 200 };
    const char *end = memchr(data, '\n', length);
    char *line = fuzz_text(pool, data, end ? (size_t)(end - data) : length), *rest = line;
    char *body;

    response.headers = apr_table_make(pool, 1);
    response.status = (int)(strtoul(line, &rest, 10) % 1000);
    response.outcome = (iimg_http_outcome_t)(strtoul(rest, &rest, 10) % (IIMG_HTTP_NOT_KEPT + 1));
    rest += strspn(rest, " ");
    if (*rest) {
        apr_table_setn(response.headers, "Retry-After", rest);
    }
    response.length = end ? length - (size_t)(end + 1 - data) : 0;
    body = apr_palloc(pool, response.length + 1);
    memcpy(body, end ? end + 1 : "", response.length);
    body[response.length] = '\0';
    response.body = body;
    return response;
}

/* Spool every other response. */
static void spool_body(apr_pool_t *pool, iimg_http_response_t *response)
{
    int error = 0;

    if (response->length % 2) {
        response->spool = iimg_spool_create(pool, NULL, &error);
        fuzz_claim(response->spool
                       && iimg_spool_write(response->spool, response->body, response->length),
                   "a spool is created");
    }
}

/* Feed pieces of one byte, two, three, ... if first is 1; otherwise all at once. */
static const char *cut_up(apr_pool_t *pool, const iimg_http_response_t *response, size_t first,
                          apr_size_t *length, bool *fits)
{
    iimg_json_cut_t *cut = iimg_json_cut_create(pool, "data", 40, 4000);
    size_t at = 0, step = first;

    *fits = true;
    while (at < response->length && *fits) {
        size_t n = step < response->length - at ? step : response->length - at;
        char *piece = apr_pmemdup(pool, response->body + at, n); /* detects overruns */

        *fits = iimg_json_cut_feed(cut, piece, n);
        at += n;
        step += first == 1;
    }
    return iimg_json_cut_rest(cut, length);
}

static void claim_cut(apr_pool_t *pool, const iimg_http_response_t *response)
{
    apr_size_t length, other_length;
    bool fits, other_fits;
    const char *rest = cut_up(pool, response, response->length, &length, &fits);
    const char *other = cut_up(pool, response, 1, &other_length, &other_fits);
    json_t *whole, *parsed;

    fuzz_claim(fits == other_fits, "the result does not depend on the pieces");
    if (!fits) {
        return;
    }
    fuzz_claim(length == other_length && memcmp(rest, other, length) == 0, "neither does the rest");
    fuzz_claim(length <= 4000, "the rest has a limit");
    whole = json_loadb(response->body, response->length, JSON_ALLOW_NUL, NULL);
    parsed = json_loadb(rest, length, JSON_ALLOW_NUL, NULL);
    fuzz_claim(!whole || parsed, "the rest of JSON is JSON: %.*s", (int)length, rest);
    json_decref(whole);
    json_decref(parsed);
}

static void claim_error(const iimg_error_t *err)
{
    fuzz_claim(err->kind == IIMG_REFUSED || err->kind == IIMG_UPSTREAM || err->kind == IIMG_LIMITED
                   || err->kind == IIMG_UPSTREAM_TIMEOUT || err->kind == IIMG_UNAVAILABLE,
               "an error of the provider is not internal (kind %d)", (int)err->kind);
    fuzz_claim(err->code && *err->message && iimg_text_is_utf8(err->message, strlen(err->message)),
               "an error has a message and a code");
    fuzz_claim(!err->detail || !strstr(err->detail, KEY), "an error does not contain the key: %s",
               err->detail);
    fuzz_claim(err->retry_after >= 0 && err->retry_after <= IIMG_GEMINI_MAX_RETRY_AFTER,
               "a wait is in range: %d s", err->retry_after);
}

static void claim_result(const iimg_generator_result_t *result)
{
    iimg_format_t format = iimg_media_type_sniff(result->data, result->length)->format;
    json_t *usage;

    fuzz_claim(format == IIMG_FORMAT_JPEG || format == IIMG_FORMAT_PNG
                   || format == IIMG_FORMAT_WEBP,
               "a result starts like a picture");
    fuzz_claim(!result->text || iimg_text_is_utf8(result->text, strlen(result->text)),
               "its text is UTF-8");
    usage = result->usage ? json_loads(result->usage, 0, NULL) : NULL;
    fuzz_claim(!result->usage || json_is_object(usage), "its usage is a JSON object");
    json_decref(usage);
}

/* Feed pieces of one byte, two, three, ... */
static iimg_gemini_stream_t *follow(apr_pool_t *pool, const char *body, size_t length)
{
    iimg_gemini_stream_t *follower = iimg_gemini_stream_create(pool, NULL);

    for (size_t at = 0, step = 1; at < length; at += step, step++) {
        size_t n = step < length - at ? step : length - at;

        iimg_gemini_stream_feed(follower, apr_pmemdup(pool, body + at, n), n);
        if (n < step) {
            break;
        }
    }
    return follower;
}

/* A reply that is decoded while it arrives gives the same result. */
static void claim_followed(const iimg_context_t *context, const iimg_generator_settings_t *settings,
                           const iimg_generator_request_t *request, iimg_http_response_t response,
                           const char *body, const iimg_generator_result_t *wanted,
                           const iimg_error_t *wanted_err)
{
    iimg_generator_result_t *result = NULL;
    iimg_context_t other = *context;
    iimg_error_t *err;

    response.follower = follow(context->pool, body,
                               response.spool ? response.spool->length : response.length);
    err = iimg_gemini_reply(&other, settings, request, &response, &result);
    fuzz_claim(!err == !wanted_err
                   && (!err
                       || (strcmp(err->code, wanted_err->code) == 0
                           && strcmp(err->message, wanted_err->message) == 0)),
               "a streamed reply fails like a complete one");
    fuzz_claim(err
                   || (result->length == wanted->length
                       && memcmp(result->data, wanted->data, result->length) == 0),
               "a streamed reply has the same picture");
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    iimg_context_t context = { .pool = pool, .request_id = "fuzz", .log = &sink };
    iimg_generator_settings_t settings = { .gemini_key = KEY };
    iimg_generator_request_t request = { .model = "gemini-3-pro-image",
                                         .width = 512,
                                         .height = 512 };
    iimg_http_response_t response = response_of(pool, data, length);
    iimg_generator_result_t *result = NULL;
    const char *body;
    iimg_error_t *err;

    claim_cut(pool, &response);
    body = response.body;
    spool_body(pool, &response);
    err = iimg_gemini_reply(&context, &settings, &request, &response, &result);
    claim_followed(&context, &settings, &request, response, body, result, err);
    fuzz_claim(!result || (result->data != NULL) == !err, "there is a picture or an error");
    if (err) {
        claim_error(err);
    }
    else {
        claim_result(result);
    }
}
