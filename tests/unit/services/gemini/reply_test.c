/* reply_test.c - responses: pictures, errors, billing, warnings, usage. */
#include "services/gemini/reply.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <apr_encode.h>
#include "services/gemini/literals.h"

/* @param step bytes of the pieces that a stream reads; 0: there is no stream */
static iimg_error_t *reply_with(iimg_context_t *context, const iimg_generator_settings_t *way,
                                int status, const char *body, apr_size_t step,
                                iimg_generator_result_t **result)
{
    iimg_http_response_t response = {
        .outcome = IIMG_HTTP_OK,
        .problem = "",
        .status = status,
        .headers = apr_table_make(context->pool, 2),
        .body = body,
        .length = strlen(body),
        .follower = step ? feed_stream(context->pool, way->spool_dir, body, step) : NULL,
    };

    *result = NULL;
    return iimg_gemini_reply(context, way, &wish, &response, result);
}

static iimg_error_t *reply_to(iimg_context_t *context, int status, const char *body,
                              iimg_generator_result_t **result)
{
    return reply_with(context, &settings, status, body, 0, result);
}

/* Pictures ------------------------------------------------------------------------------------ */

static const struct {
    const char *sentence;
    const char *body;
    const char *data;
    apr_size_t length;
} pictures[] = {
    { "a PNG is taken", REPLY(PICTURE("image/png", PNG64), "STOP"), PNG, sizeof(PNG) - 1 },
    { "a JPEG is taken", REPLY(PICTURE("image/jpeg", JPEG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a WebP is taken", REPLY(PICTURE("image/webp", WEBP64), "STOP"), WEBP, sizeof(WEBP) - 1 },
    { "a JPEG labeled as PNG is taken", REPLY(PICTURE("image/png", JPEG64), "STOP"), JPEG,
      sizeof(JPEG) - 1 },
    { "a picture without any label is taken",
      REPLY("{\"inlineData\":{\"data\":\"" PNG64 "\"}}", "STOP"), PNG, sizeof(PNG) - 1 },
    { "base64 without padding is read", REPLY(PICTURE("image/png", PNG64_BARE), "STOP"), PNG,
      sizeof(PNG) - 1 },
    { "URL-safe base64 is read", REPLY(PICTURE("image/jpeg", JPEG64_URL), "STOP"), JPEG,
      sizeof(JPEG) - 1 },
    { "a reply of only a picture is read",
      "{\"candidates\":[{\"content\":{\"parts\":[" PICTURE("image/png", PNG64) "]}}]}", PNG,
      sizeof(PNG) - 1 },
    { "snake_case is read",
      "{\"candidates\":[{\"finish_reason\":\"STOP\",\"content\":{\"parts\":[{\"inline_data\":"
      "{\"mime_type\":\"image/png\",\"data\":\"" PNG64 "\"}}]}}]}",
      PNG, sizeof(PNG) - 1 },
    { "the last of two pictures is taken",
      REPLY(PICTURE("image/png", DRAFT64) "," PICTURE("image/png", PNG64), "STOP"), PNG,
      sizeof(PNG) - 1 },
    { "a thought before the picture is skipped",
      REPLY(THOUGHT(DRAFT64) "," PICTURE("image/jpeg", JPEG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a thought after the picture is skipped",
      REPLY(PICTURE("image/jpeg", JPEG64) "," THOUGHT(PNG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a lone thought of the right size is taken",
      REPLY(THOUGHT(DRAFT64) "," THOUGHT(PNG64), "STOP"), PNG, sizeof(PNG) - 1 },
    { "null members count as absent",
      "{\"error\":null,\"promptFeedback\":null,\"usageMetadata\":null,\"modelVersion\":null,"
      "\"candidates\":[{\"finishReason\":null,\"content\":{\"parts\":[{\"text\":null,"
      "\"inlineData\":null},{\"thought\":null,\"text\":null,\"inlineData\":{\"mimeType\":null,"
      "\"data\":\"" PNG64 "\"}}]}}]}",
      PNG, sizeof(PNG) - 1 },
    { "white space and unknown members do not matter",
      " {\n \"new\" : [ { } ] , \"candidates\" : [ { \"odd\" : 1 , \"content\" : { \"parts\" : [ " PICTURE(
          "image/png", PNG64) " ] } , \"finishReason\" : \"STOP\" } ] }\n",
      PNG, sizeof(PNG) - 1 },
    { "an unheard-of finishReason does not lose the picture",
      REPLY(PICTURE("image/png", PNG64), "WONDERFUL"), PNG, sizeof(PNG) - 1 },
    { "an unspecified blockReason blocks nothing",
      "{\"promptFeedback\":{\"blockReason\":\"BLOCK_REASON_UNSPECIFIED\"},\"candidates\":["
      "{\"content\":{\"parts\":[" PICTURE("image/png", PNG64) "]}}]}",
      PNG, sizeof(PNG) - 1 },
    { "a reply in an array is unwrapped", "[" REPLY(PICTURE("image/png", PNG64), "STOP") "]", PNG,
      sizeof(PNG) - 1 },
};

static void test_pictures(iimg_context_t *context, apr_size_t step)
{
    for (size_t i = 0; i < COUNT(pictures); i++) {
        iimg_generator_result_t *result;
        iimg_error_t *err = reply_with(context, &settings, 200, pictures[i].body, step, &result);

        tap_ok(!err && result && result->length == pictures[i].length
                   && memcmp(result->data, pictures[i].data, result->length) == 0,
               "%s", pictures[i].sentence);
        tap_is_number(result && result->warnings ? result->warnings->nelts : -1, 0,
                      "%s without a warning", pictures[i].sentence);
    }
}

/* Failures ------------------------------------------------------------------------------------ */

typedef struct failure_t {
    const char *sentence;
    int status;
    const char *body;
    iimg_error_kind_t kind;
    const char *code;
    const char *message; /* a part of it */
    const char *detail;  /* a part of it */
} failure_t;

#define NO_PARTS(reason) \
    "{\"candidates\":[{\"finishReason\":\"" reason "\"," \
    "\"finishMessage\":\"About " KEY ".\"}]}"
#define REFUSAL(reason, why) \
    { "finishReason " reason " is a refusal", 200, NO_PARTS(reason), IIMG_REFUSED, "refused", why, \
      "finishReason " reason ": About [key]." }, \
    { \
        "finishReason " reason " wins over a picture", 200, \
            REPLY(PICTURE("image/png", PNG64), reason), IIMG_REFUSED, "refused", why, reason \
    }
#define BLOCK(reason, why) \
    { \
        "blockReason " reason " is a refusal", 200, \
            "{\"promptFeedback\":{\"blockReason\":\"" reason "\"}}", IIMG_REFUSED, "refused", why, \
            "blockReason " reason \
    }
#define NOTHING(reason) \
    { \
        "finishReason " reason " is no picture", 200, NO_PARTS(reason), IIMG_UPSTREAM, "no_image", \
            "without a picture", reason \
    }
#define MISTAKE(reason) \
    { \
        "finishReason " reason " is a faulty request", 200, NO_PARTS(reason), IIMG_UPSTREAM, \
            "provider_request", "before the picture was finished", reason \
    }

static const failure_t failures[] = {
    REFUSAL("SAFETY", "safety check objected to the request. Try other"),
    REFUSAL("IMAGE_SAFETY", "safety check objected to the finished picture. Try other"),
    REFUSAL("PROHIBITED_CONTENT", "something it forbids. Try other"),
    REFUSAL("IMAGE_PROHIBITED_CONTENT", "something it forbids. Try other"),
    REFUSAL("BLOCKLIST", "has a word that it forbids. Try other words"),
    REFUSAL("SPII", "sensitive personal data"),
    REFUSAL("RECITATION", "repeat an existing work"),
    REFUSAL("IMAGE_RECITATION", "repeat an existing work"),
    REFUSAL("LANGUAGE", "language"),
    BLOCK("SAFETY", "safety check"),
    BLOCK("IMAGE_SAFETY", "safety check"),
    BLOCK("BLOCKLIST", "has a word"),
    BLOCK("PROHIBITED_CONTENT", "forbids"),
    BLOCK("MODEL_ARMOR", "safety rule"),
    BLOCK("JAILBREAK", "bypass its rules"),
    BLOCK("OTHER", "no known reason"),
    BLOCK("BAD_MOOD", "no known reason"),
    NOTHING("NO_IMAGE"),
    NOTHING("IMAGE_OTHER"),
    NOTHING("OTHER"),
    NOTHING("MALFORMED_RESPONSE"),
    NOTHING("STOP"),
    NOTHING("WONDERFUL"),
    MISTAKE("MAX_TOKENS"),
    MISTAKE("MALFORMED_FUNCTION_CALL"),
    MISTAKE("UNEXPECTED_TOOL_CALL"),
    MISTAKE("TOO_MANY_TOOL_CALLS"),
    MISTAKE("CONTINUATION"),

    { "an empty object is no picture", 200, "{}", IIMG_UPSTREAM, "no_image", "", "absent" },
    { "an empty list of candidates is no picture", 200, "{\"candidates\":[]}", IIMG_UPSTREAM,
      "no_image", "", "" },
    { "an empty list of parts is no picture", 200, REPLY("", "STOP"), IIMG_UPSTREAM, "no_image", "",
      "" },
    { "words are no picture", 200, REPLY("{\"text\":\"data:image/png;base64," PNG64 "\"}", "STOP"),
      IIMG_UPSTREAM, "no_image", "", "" },
    { "empty data is no picture", 200, REPLY(PICTURE("image/png", ""), "STOP"), IIMG_UPSTREAM,
      "no_image", "", "" },
    { "a lone thought of another size is no picture", 200, REPLY(THOUGHT(DRAFT64), "STOP"),
      IIMG_UPSTREAM, "no_image", "", "" },
    { "only the last thought counts", 200, REPLY(THOUGHT(PNG64) "," THOUGHT(DRAFT64), "STOP"),
      IIMG_UPSTREAM, "no_image", "", "" },
    { "a lone thought that MAX_TOKENS ended is no picture", 200,
      REPLY(THOUGHT(PNG64), "MAX_TOKENS"), IIMG_UPSTREAM, "provider_request", "", "MAX_TOKENS" },
    { "a picture truncated by MAX_TOKENS is no picture", 200,
      REPLY(PICTURE("image/png", DRAFT64), "MAX_TOKENS"), IIMG_UPSTREAM, "provider_request", "",
      "" },
    { "a lone thought needs STOP", 200, REPLY(THOUGHT(PNG64), "WONDERFUL"), IIMG_UPSTREAM,
      "no_image", "", "" },
    { "broken base64 is no answer", 200, REPLY(PICTURE("image/png", "!!BORw0KGgo="), "STOP"),
      IIMG_UPSTREAM, "provider_reply", "", "base64" },
    { "a GIF is not accepted", 200, REPLY(PICTURE("image/png", GIF64), "STOP"), IIMG_UPSTREAM,
      "provider_reply", "", "neither JPEG" },
    { "text labeled as PNG is no picture", 200, REPLY(PICTURE("image/png", "aGVsbG8="), "STOP"),
      IIMG_UPSTREAM, "provider_reply", "", "neither JPEG" },
    { "members of a wrong kind are no picture", 200,
      "{\"candidates\":{\"0\":1},\"promptFeedback\":[],\"usageMetadata\":7}", IIMG_UPSTREAM,
      "no_image", "", "" },
    { "parts of a wrong kind are no picture", 200,
      "{\"candidates\":[{\"finishReason\":7,\"content\":{\"parts\":[1,[],{\"inlineData\":\"x\"},"
      "{\"inlineData\":{\"data\":1}}]}}]}",
      IIMG_UPSTREAM, "no_image", "", "" },

    { "an empty body is no answer", 200, "", IIMG_UPSTREAM, "provider_reply", "", "invalid JSON" },
    { "HTML is no answer", 200, "<html>sorry</html>", IIMG_UPSTREAM, "provider_reply", "",
      "invalid JSON" },
    { "cut JSON is no answer", 200, "{\"candidates\":[{\"content\":{\"parts\":[", IIMG_UPSTREAM,
      "provider_reply", "", "invalid JSON" },
    { "a bare string is no answer", 200, "\"hello\"", IIMG_UPSTREAM, "provider_reply", "", "" },
    { "no content is no answer", 204, "", IIMG_UPSTREAM, "provider_reply", "", "HTTP 204" },
    { "a redirect is no answer", 307, "", IIMG_UPSTREAM, "provider_reply", "", "HTTP 307" },
    { "an error under status 200 is an error", 200, ERROR("503", "UNAVAILABLE", "Overloaded.", ""),
      IIMG_UNAVAILABLE, "provider_busy", "", "HTTP 200 UNAVAILABLE: Overloaded." },
    { "an error in words under status 200 is no answer", 200, "{\"error\":\"no\"}", IIMG_UPSTREAM,
      "provider_reply", "", "HTTP 200: no" },

    { "400 is a request refused", 400, ERROR("400", "INVALID_ARGUMENT", "Bad size.", ""),
      IIMG_UPSTREAM, "provider_request", "did not accept", "HTTP 400 INVALID_ARGUMENT: Bad size." },
    { "400 may mean the key", 400,
      ERROR("400", "INVALID_ARGUMENT", "Bad key.", "{\"reason\":\"API_KEY_INVALID\"}"),
      IIMG_UNAVAILABLE, "provider_key",
      "The image provider refused this server's key. An operator must correct it.",
      "HTTP 400 INVALID_ARGUMENT API_KEY_INVALID: Bad key." },
    { "400 may mean the account", 400, ERROR("400", "FAILED_PRECONDITION", "Billing.", ""),
      IIMG_UNAVAILABLE, "provider_key", "billing and region", "FAILED_PRECONDITION" },
    { "401 means the key", 401, ERROR("401", "UNAUTHENTICATED", "No.", ""), IIMG_UNAVAILABLE,
      "provider_key", "refused this server's key", "" },
    { "403 means the key", 403, ERROR("403", "PERMISSION_DENIED", "Leaked.", ""), IIMG_UNAVAILABLE,
      "provider_key", "refused this server's key", "Leaked." },
    { "404 names model and directive", 404, ERROR("404", "NOT_FOUND", "Not found.", ""),
      IIMG_UPSTREAM, "model_retired",
      "the model " MODEL ". An operator must set another one with IdentityImgGeminiModel.",
      "NOT_FOUND" },
    { "413 is a request refused", 413, "", IIMG_UPSTREAM, "provider_request", "", "HTTP 413" },
    { "429 is a limit", 429, ERROR("429", "RESOURCE_EXHAUSTED", "Slow.", RETRY_INFO("37s")),
      IIMG_LIMITED, "provider_busy", "used up", "Slow." },
    { "429 in an array is the same", 429,
      "[" ERROR("429", "RESOURCE_EXHAUSTED", "Slow.", RETRY_INFO("37s")) "]", IIMG_LIMITED,
      "provider_busy", "used up", "HTTP 429 RESOURCE_EXHAUSTED: Slow." },
    { "500 is an error of the provider", 500, ERROR("500", "INTERNAL", "Oops.", ""),
      IIMG_UNAVAILABLE, "provider_busy", "failed with an internal error", "INTERNAL" },
    { "502 of a proxy is an error", 502, "<html>Bad\r\nGateway</html>", IIMG_UNAVAILABLE,
      "provider_busy", "", "HTTP 502: <html>Bad  Gateway</html>" },
    { "503 is an error of the provider", 503,
      ERROR("503", "UNAVAILABLE", "Overloaded.", "{\"reason\":\"MODEL_CAPACITY_EXHAUSTED\"}"),
      IIMG_UNAVAILABLE, "provider_busy", "overloaded", "MODEL_CAPACITY_EXHAUSTED" },
    { "503 with an empty body", 503, "", IIMG_UNAVAILABLE, "provider_busy", "", "HTTP 503" },
    { "504 is a timeout", 504, ERROR("504", "DEADLINE_EXCEEDED", "Late.", ""),
      IIMG_UPSTREAM_TIMEOUT, "timeout", "in time", "" },
    { "an unlisted 4xx is a request refused", 418, "{}", IIMG_UPSTREAM, "provider_request", "",
      "HTTP 418" },
    { "the key in an error is masked", 403,
      "{\"error\":{\"code\":403,\"status\":\"" KEY "\",\"message\":\"key " KEY " and " KEY "\","
      "\"details\":[{\"reason\":\"" KEY "\"}]}}",
      IIMG_UNAVAILABLE, "provider_key", "", "HTTP 403 [key] [key]: key [key] and [key]" },
    { "the key in an error page is masked", 500, "<p>" KEY "</p>", IIMG_UNAVAILABLE,
      "provider_busy", "", "<p>[key]</p>" },
    { "the key in a reply that is no JSON is masked", 200, KEY, IIMG_UPSTREAM, "provider_reply", "",
      "" },
};

static void test_failures(iimg_context_t *context, apr_size_t step)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        const failure_t *row = &failures[i];
        iimg_generator_result_t *result;
        iimg_error_t *err = reply_with(context, &settings, row->status, row->body, step, &result);

        if (!tap_ok(err != NULL && !(result && result->data), "%s", row->sentence)) {
            continue;
        }
        tap_is_number(err->kind, row->kind, "%s: the error has its kind", row->sentence);
        tap_is(err->code, row->code, "%s: the error has its code", row->sentence);
        if (!tap_ok(holds(err->message, row->message) && holds(err->detail, row->detail),
                    "%s: message and detail name the cause", row->sentence)) {
            printf("# message: %s\n# detail: %s\n", err->message, err->detail);
        }
        tap_ok(!holds(err->message, KEY) && !holds(err->detail, KEY)
                   && !holds(err->message, "finishReason"),
               "%s: the message has neither the key nor the raw reason", row->sentence);
    }
}

/* Billing ------------------------------------------------------------------------------------- */

#define PARTS "\"content\": {\"parts\": [{\"text\": \"words\"}]}"
#define ENDED(reason, more) \
    "{\"candidates\": [{" PARTS ", \"finishReason\": \"" reason "\"}]" more "}"
#define TOKENS(n) ", \"usageMetadata\": {\"totalTokenCount\": " #n "}"

static const struct {
    const char *sentence, *body, *code;
    iimg_again_t again;
    const char *billed;
} endings[] = {
    { "no picture", ENDED("STOP", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "no picture, with tokens", ENDED("STOP", TOKENS(9)), "no_image", IIMG_AGAIN_PAID, "t" },
    { "no picture, with one token", ENDED("STOP", TOKENS(1)), "no_image", IIMG_AGAIN_PAID, "t" },
    { "no picture, without tokens", ENDED("STOP", TOKENS(0)), "no_image", IIMG_AGAIN_PAID, NULL },
    { "no reason", "{\"candidates\": [{" PARTS "}]}", "no_image", IIMG_AGAIN_PAID, NULL },
    { "NO_IMAGE", ENDED("NO_IMAGE", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "IMAGE_OTHER", ENDED("IMAGE_OTHER", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "OTHER", ENDED("OTHER", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "MALFORMED_RESPONSE", ENDED("MALFORMED_RESPONSE", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "a tool", ENDED("UNEXPECTED_TOOL_CALL", TOKENS(9)), "provider_request", IIMG_AGAIN_PAID,
      "t" },
    { "MAX_TOKENS", ENDED("MAX_TOKENS", TOKENS(9)), "provider_request", IIMG_AGAIN_NO, "t" },
    { "CONTINUATION", ENDED("CONTINUATION", ""), "provider_request", IIMG_AGAIN_NO, NULL },
    { "an unknown reason", ENDED("WONDERFUL", ""), "no_image", IIMG_AGAIN_NO, NULL },
    { "a refusal", ENDED("IMAGE_SAFETY", ""), "refused", IIMG_AGAIN_NO, NULL },
    { "a refusal with tokens", ENDED("IMAGE_SAFETY", TOKENS(9)), "refused", IIMG_AGAIN_NO, "t" },
    { "a block", "{\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}", "refused", IIMG_AGAIN_NO,
      NULL },
    { "a block without a reason is none",
      "{\"promptFeedback\": {\"blockReason\": \"BLOCK_REASON_UNSPECIFIED\"}}", "no_image",
      IIMG_AGAIN_PAID, NULL },
    { "no JSON", "x", "provider_reply", IIMG_AGAIN_NO, NULL },
};

static void test_billing(iimg_context_t *context)
{
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        iimg_generator_result_t *result;
        iimg_error_t *err = reply_to(context, 200, endings[i].body, &result);

        tap_is(err ? err->code : NULL, endings[i].code, "%s: the error has its code",
               endings[i].sentence);
        tap_is_number(err ? (int)err->again : -1, endings[i].again,
                      "%s: the error says whether to retry", endings[i].sentence);
        tap_is(err ? err->billed : "", endings[i].billed,
               "%s: the error says whether it was billed", endings[i].sentence);
        tap_ok(err
                   && (strcmp(endings[i].code, "provider_reply") == 0
                       || strstr(err->message,
                                 endings[i].billed ? "was billed" : "may have been billed")),
               "%s: the sentence says whether it was billed", endings[i].sentence);
    }
}

/* Beside the picture -------------------------------------------------------------------------- */

static void test_extras(iimg_context_t *context)
{
    iimg_generator_result_t *result;
    iimg_error_t *err;

    work_log_clear(context);
    err = reply_to(
        context, 200,
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Thinking.\",\"thought\":"
        "true},{\"text\":\"One.\"}," PICTURE(
            "image/png",
            JPEG64) ",{\"text\":\"Two.\"}"
                    "]}}],\"usageMetadata\": {\"totalTokenCount\": 2552, \"promptTokenCount\": 32},"
                    "\"modelVersion\":\"models/gemini-9\",\"modelStatus\":{\"message\":\"Ends.\"}}",
        &result);
    if (!tap_ok(!err, "a reply with thoughts, texts and a picture is read")) {
        return;
    }
    tap_is(result->usage,
           "{\"totalTokenCount\":2552,\"promptTokenCount\":32,\"modelStatus\":{\"message\":"
           "\"Ends.\"}}",
           "token counts and the model's status are compact JSON");
    tap_ok(result->warnings->nelts == 1
               && strcmp(APR_ARRAY_IDX(result->warnings, 0, const char *),
                         "The provider wrote: One. Two.")
                      == 0,
           "the provider's text is a warning");
    tap_is(result->text, "One.\nTwo.", "texts are joined, without thoughts");
    tap_is(result->model, "gemini-9", "the result names the model of the response");
    tap_ok(work_logged(context, "but model gemini-9 answered")
               && work_logged(context, "gemini-9 answered")->level == IIMG_LOG_INFO,
           "another model than requested is logged at info");
    tap_ok(work_logged(context, "labels a picture image/png that is image/jpeg")
               && work_logged(context, "labels a picture")->level == IIMG_LOG_DEBUG,
           "a wrong label is logged at debug");
    tap_ok(work_logged(context, "Ends.") != NULL, "the model's status is logged");
    err = reply_to(context, 200, REPLY(PICTURE("image/png", PNG64), "STOP"), &result);
    tap_ok(!err && !result->usage && !result->text && !result->model,
           "members without a value in the reply are NULL");
}

static void test_size_warning(iimg_context_t *context)
{
    iimg_generator_result_t *result;
    iimg_error_t *err = reply_to(context, 200, REPLY(PICTURE("image/png", DRAFT64), "STOP"),
                                 &result);

    tap_ok(!err && result->warnings->nelts == 1, "a picture of another size has a warning");
    tap_is(err ? NULL : APR_ARRAY_IDX(result->warnings, 0, const char *),
           "The provider generated a picture of 512 x 512 pixels instead of 1376 x 768.",
           "the warning names both sizes");
    tap_ok(work_logged(context, "IIMG0041: ") != NULL, "the warning is logged");
}

/* The response is complete, but there is no disk space for the decoded picture. */
static void test_no_room(iimg_context_t *context, apr_size_t step)
{
    static char padding[256 * 1024];
    struct rlimit before, little;
    iimg_generator_settings_t way = settings;
    iimg_generator_result_t *result = NULL;
    const char *body;
    iimg_error_t *err;

    memset(padding, 'A', sizeof(padding) - 4); /* base64 comes in fours */
    body = apr_psprintf(context->pool, REPLY(PICTURE("image/png", "%s%s"), "STOP"), PNG64_WHOLE,
                        padding);
    way.spool_dir = "/tmp";
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    little = before;
    little.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &little);
    err = reply_with(context, &way, 200, body, step, &result);
    setrlimit(RLIMIT_FSIZE, &before);
    tap_ok(err && err->kind == IIMG_UNAVAILABLE, "a picture without disk space is an error");
    tap_is(err ? err->code : NULL, "spool_down", "the code names the spool");
    tap_is(err ? err->billed : NULL, "t", "the picture was billed");
    tap_ok(err && err->again == IIMG_AGAIN_NO, "a picture without disk space is not retried");
    tap_ok(err && strstr(err->message, "The picture was generated") != NULL,
           "the sentence says that the picture was generated");
    tap_ok(err && err->detail && strstr(err->detail, strerror(EFBIG)) != NULL,
           "the detail has the system's error");
    tap_ok(!(result && result->data), "the result has no picture");
    err = reply_with(context, &way, 200, body, step, &result);
    tap_ok(!err && result->length > sizeof(padding) / 2,
           "with disk space the picture is delivered");
}

/* @return the base64 of a PNG's header */
static const char *png_of(apr_pool_t *pool, int width, int height)
{
    unsigned char bytes[sizeof(PNG) - 1];

    memcpy(bytes, PNG, sizeof(bytes));
    for (int i = 0; i < 4; i++) {
        bytes[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        bytes[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    return apr_pencode_base64_binary(pool, bytes, sizeof(bytes), APR_ENCODE_NONE, NULL);
}

static void test_size_tolerance(iimg_context_t *context)
{
    static const struct {
        int width, height;
        bool warned;
        const char *sentence;
    } rows[] = {
        { 1376, 768, false, "the requested size" },
        { 1376 + 13, 768 + 7, false, "1 % larger" },
        { 1376 - 13, 768 - 7, false, "1 % smaller" },
        { 1376 + 27, 768 + 15, false, "almost 2 % larger" },
        { 1376 - 27, 768 - 15, false, "almost 2 % smaller" },
        { 1376 + 28, 768, true, "more than 2 % wider" },
        { 1376 - 28, 768, true, "more than 2 % narrower" },
        { 1376, 768 + 16, true, "more than 2 % higher" },
        { 1376, 768 - 16, true, "more than 2 % lower" },
        { 1376 + 41, 768, true, "3 % wider" },
        { 1376, 768 - 23, true, "3 % lower" },
        { 1376 - 41, 768 - 23, true, "3 % smaller" },
        { 1376 + 138, 768 + 77, true, "10 % larger" },
        { 1376, 768 + 77, true, "10 % higher" },
        { 768, 1376, true, "width and height swapped" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *body = apr_psprintf(context->pool, REPLY(PICTURE("image/png", "%s"), "STOP"),
                                        png_of(context->pool, rows[i].width, rows[i].height));
        iimg_generator_result_t *result = NULL;
        iimg_error_t *err = reply_to(context, 200, body, &result);

        tap_is_number(err ? -1 : result->warnings->nelts, rows[i].warned, "%s: %s",
                      rows[i].sentence, rows[i].warned ? "a warning" : "no warning");
    }
}

int main(void)
{
    static const apr_size_t steps[] = { 0, 1, 2, 3, 7, 100, 65536 };
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < COUNT(steps); i++) {
        test_pictures(context, steps[i]);
        test_failures(context, steps[i]);
    }
    test_billing(context);
    test_extras(context);
    test_size_warning(context);
    test_size_tolerance(context);
    test_no_room(context, 0);
    test_no_room(context, 1000);
    work_end(context);
    return tap_done();
}
