/* generator_test.c - the Gemini generator: sizes, requests, replies from literals, and the
 * whole of it against a stand-in. */
#include <jansson.h>
#include <apr_encode.h>
#include "base/http/http.h"
#include "base/json/json.h"
#include "base/spool.h"
#include "services/gemini/error.h"
#include "services/gemini/gemini.h"
#include "services/gemini/model.h"
#include "services/gemini/reply.h"
#include "services/gemini/request.h"
#include "services/gemini/stream.h"
#include "services/generators.h"
#include "double.h"
#include "tap.h"
#include "work.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#define KEY   "AQ.secret-key-0123"
#define MODEL "gemini-3-pro-image"

/* Headers of pictures, which is all that is looked at: 1376 x 768, and a draft of 512 x 512. */
#define PNG         "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\x60\0\0\x03\0\x08\2\0\0\0"
#define DRAFT       "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0\x08\2\0\0\0"
#define JPEG        "\xff\xd8\xff\xc0\0\x11\x08\x03\0\x05\x60\3\1\x22\0\2\x11\1\3\x11\1"
#define WEBP        "RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x5f\x05\0\xff\x02\0"
#define PNG64       "iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAA="
#define PNG64_WHOLE "iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAAA" /* without an end */
#define PNG64_BARE  "iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAA"
#define DRAFT64     "iVBORw0KGgoAAAANSUhEUgAAAgAAAAIACAIAAAA="
#define JPEG64      "/9j/wAARCAMABWADASIAAhEBAxEB"
#define JPEG64_URL  "_9j_wAARCAMABWADASIAAhEBAxEB"
#define WEBP64      "UklGRiAAAABXRUJQVlA4WAoAAAAAAAAAXwUA/wIA"
#define GIF64       "R0lGODlhAQABAAAAADs="

#define PICTURE(label, data) "{\"inlineData\":{\"mimeType\":\"" label "\",\"data\":\"" data "\"}}"
#define THOUGHT(data) \
    "{\"thought\":true,\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" data "\"}}"
#define REPLY(parts, reason) \
    "{\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":\"model\"}," \
    "\"finishReason\":\"" reason "\"}]}"
#define ERROR(code, status, message, details) \
    "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"," \
    "\"details\":[" details "]}}"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const iimg_generator_settings_t settings = {
    .gemini_key = KEY,
    .gemini_endpoint = "https://generativelanguage.googleapis.com",
    .gemini_version = "v1beta",
    .connect_timeout = 2,
    .timeout = 30,
    .max_response = 64 * 1024 * 1024,
};

static const iimg_generator_reference_t references[] = {
    { PNG, sizeof(PNG) - 1, "image/jpeg" }, /* the label is wrong, and is not believed */
    { JPEG, sizeof(JPEG) - 1, "image/jpeg" },
    { WEBP, sizeof(WEBP) - 1, "image/webp" },
};

static const iimg_generator_request_t wish = {
    .prompt = "A \"calm\" portrait,\n\xc3\xa9t\xc3\xa9 \\ 100%",
    .model = MODEL,
    .aspect_ratio = "16:9",
    .resolution = "1K",
    .width = 1376,
    .height = 768,
    .references = references,
    .reference_count = COUNT(references),
};

/* Sizes --------------------------------------------------------------------------------------- */

static const struct {
    const char *ratio;
    int sides[6];
} sizes[] = {
    { "1:1", { 1024, 1024, 2048, 2048, 4096, 4096 } },
    { "2:3", { 848, 1264, 1696, 2528, 3392, 5056 } },
    { "3:2", { 1264, 848, 2528, 1696, 5056, 3392 } },
    { "3:4", { 896, 1200, 1792, 2400, 3584, 4800 } },
    { "4:3", { 1200, 896, 2400, 1792, 4800, 3584 } },
    { "4:5", { 928, 1152, 1856, 2304, 3712, 4608 } },
    { "5:4", { 1152, 928, 2304, 1856, 4608, 3712 } },
    { "9:16", { 768, 1376, 1536, 2752, 3072, 5504 } },
    { "16:9", { 1376, 768, 2752, 1536, 5504, 3072 } },
    { "21:9", { 1584, 672, 3168, 1344, 6336, 2688 } },
    { "1:4", { 512, 2048, 1024, 4096, 2048, 8192 } },
    { "4:1", { 2048, 512, 4096, 1024, 8192, 2048 } },
    { "1:8", { 384, 3072, 768, 6144, 1536, 12288 } },
    { "8:1", { 3072, 384, 6144, 768, 12288, 1536 } },
};

static void test_sizes(void)
{
    int width = -1, height = -1;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        tap_is(iimg_aspect_ratios[i], sizes[i].ratio, "ratio %d of the list", (int)i);
        for (int k = 0; iimg_resolutions[k]; k++) {
            tap_ok(iimg_generator_size(sizes[i].ratio, iimg_resolutions[k], &width, &height)
                       && width == sizes[i].sides[2 * k] && height == sizes[i].sides[2 * k + 1],
                   "%s at %s has Google's size", sizes[i].ratio, iimg_resolutions[k]);
        }
    }
    tap_is(iimg_aspect_ratios[COUNT(sizes)], NULL, "the list of ratios ends there");
    tap_ok(!iimg_generator_size("7:13", "1K", &width, &height), "7:13 is no ratio");
    tap_ok(!iimg_generator_size("16:9", "4k", &width, &height), "4k is no resolution");
    tap_ok(iimg_generator_by_name("gemini") == &iimg_generator_gemini, "it is found by name");
    tap_ok(!iimg_generator_by_name("imagen"), "an unknown name finds nothing");
    tap_ok(iimg_generator_gemini.billed, "its calls may cost money");
}

/* Requests ------------------------------------------------------------------------------------ */

static const char *body_text(apr_pool_t *pool, const iimg_generator_request_t *request)
{
    const iimg_http_chunk_t *chunks;
    char *text = apr_pstrdup(pool, "");
    int count = 0;

    if (iimg_gemini_body(pool, &settings, request, &chunks, &count)) {
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        text = apr_pstrcat(pool, text, apr_pstrmemdup(pool, chunks[i].data, chunks[i].length),
                           NULL);
    }
    return text;
}

static json_t *expected_body(apr_pool_t *pool)
{
    return iimg_json_own(
        pool,
        json_pack(
            "{s:[{s:[{s:s},{s:{s:s,s:s}},{s:{s:s,s:s}},{s:{s:s,s:s}}],s:s}],s:{s:[s,s],s:{s:s,s:s}},s:b}",
            "contents", "parts", "text", wish.prompt, "inlineData", "mimeType", "image/png", "data",
            PNG64, "inlineData", "mimeType", "image/jpeg", "data", JPEG64, "inlineData", "mimeType",
            "image/webp", "data", WEBP64, "role", "user", "generationConfig", "responseModalities",
            "TEXT", "IMAGE", "imageConfig", "aspectRatio", "16:9", "imageSize", "1K", "store", 0));
}

static void test_body(apr_pool_t *pool)
{
    const char *text = body_text(pool, &wish);
    json_t *got = iimg_json_own(pool, json_loads(text, 0, NULL));

    tap_ok(json_equal(got, expected_body(pool)), "the body is what it should be");
    tap_ok(strstr(text, "[{\"parts\":[{\"text\":\"A \\\"calm\\\" portrait,\\n"
                        "\xc3\xa9t\xc3\xa9 \\\\ 100%\"},"
                        "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"")
               != NULL,
           "text goes first, unescaped but for what must be");
    tap_ok(strstr(text, "\"}}],\"role\":\"user\"}],\"generationConfig\":{") != NULL,
           "the role follows the parts");
}

static void test_body_refused(apr_pool_t *pool)
{
    static char large[16 * 1024 * 1024] = "\xff\xd8\xff";
    iimg_generator_reference_t reference = { GIF64, sizeof(GIF64) - 1, "image/jpeg" };
    iimg_generator_request_t request = wish;
    const iimg_http_chunk_t *chunks;
    iimg_error_t *err;
    int count;

    request.references = &reference;
    request.reference_count = 1;
    err = iimg_gemini_body(pool, &settings, &request, &chunks, &count);
    tap_ok(err && err->kind == IIMG_INTERNAL && strstr(err->detail, "reference 1"),
           "a reference that is no picture is not sent");
    reference.data = "GIF89a\1\0\1\0\0\0\0;";
    reference.length = 14;
    tap_ok(iimg_gemini_body(pool, &settings, &request, &chunks, &count) != NULL, "nor is a GIF");
    reference.data = large;
    reference.length = sizeof(large);
    err = iimg_gemini_body(pool, &settings, &request, &chunks, &count);
    tap_is(err ? err->code : NULL, "provider_request", "20 MB are the most that is sent");
}

static const struct {
    const char *endpoint, *version, *model;
    bool allow_http;
    const char *url, *code; /* one of them */
} addresses[] = {
    { "https://generativelanguage.googleapis.com", "v1beta", MODEL, false,
      "https://generativelanguage.googleapis.com/v1beta/models/" MODEL ":generateContent", NULL },
    { "https://relay.example/gemini/", "v1", "models/" MODEL, false,
      "https://relay.example/gemini/v1/models/" MODEL ":generateContent", NULL },
    { "https://relay.example///", "v1", "gemini-nano-banana-2.1", false,
      "https://relay.example/v1/models/gemini-nano-banana-2.1:generateContent", NULL },
    { "https://h", "v1", "gemini-3-pro-image-preview", false,
      "https://h/v1/models/gemini-3-pro-image:generateContent", NULL },
    { "http://127.0.0.1:8080", "v1", "m", false,
      "http://127.0.0.1:8080/v1/models/m:generateContent", NULL },
    { "http://127.9.9.9", "v1", "m", false, "http://127.9.9.9/v1/models/m:generateContent", NULL },
    { "http://localhost:1/x", "v1", "m", false, "http://localhost:1/x/v1/models/m:generateContent",
      NULL },
    { "http://[::1]:1", "v1", "m", false, "http://[::1]:1/v1/models/m:generateContent", NULL },
    { "http://relay.example", "v1", "m", true, "http://relay.example/v1/models/m:generateContent",
      NULL },
    { "http://relay.example", "v1", "m", false, NULL, "provider_down" },
    { "http://127.evil.example", "v1", "m", false, NULL, "provider_down" },
    { "http://127.0.0.1.evil.example", "v1", "m", false, NULL, "provider_down" },
    { "http://localhost.evil.example", "v1", "m", false, NULL, "provider_down" },
    { "http://127.0.0.1@evil.example", "v1", "m", false, NULL, "provider_down" },
    { "http://[::2]", "v1", "m", false, NULL, "provider_down" },
    { "https://user:secret@relay.example", "v1", "m", false, NULL, "provider_down" },
    { "https://relay.example/?key=secret", "v1", "m", false, NULL, "provider_down" },
    { "ftp://relay.example", "v1", "m", true, NULL, "provider_down" },
    { "relay.example", "v1", "m", true, NULL, "provider_down" },
    { "", "v1", "m", true, NULL, "provider_down" },
    { "https://h", "v1", "../x?y=1", false, NULL, "model_retired" },
    { "https://h", "v1", "", false, NULL, "model_retired" },
    { "https://h", "v1", "models/a/b", false, NULL, "model_retired" },
};

static void test_addresses(apr_pool_t *pool)
{
    for (size_t i = 0; i < COUNT(addresses); i++) {
        iimg_generator_settings_t way = settings;
        const char *url = NULL;
        iimg_error_t *err;
        bool alias;

        way.gemini_endpoint = addresses[i].endpoint;
        way.gemini_version = addresses[i].version;
        way.allow_http = addresses[i].allow_http;
        err = iimg_gemini_url(pool, &way, iimg_gemini_model(addresses[i].model, &alias), &url);
        tap_is(url, addresses[i].url, "%s and %s make their address", addresses[i].endpoint,
               addresses[i].model);
        tap_is(err ? err->code : NULL, addresses[i].code, "or their error");
        tap_ok(!err || !err->detail || !strstr(err->detail, "secret"), "that tells no secret");
    }
}

static void test_headers(apr_pool_t *pool)
{
    static const char *const bad[] = { NULL, "", "two words", "line\nbreak", "tail\r", "\xc3\xa9" };
    const apr_array_header_t *lines = NULL;
    iimg_error_t *err = iimg_gemini_headers(pool, &settings, &lines);

    tap_ok(!err && lines->nelts == 4, "a request has four headers of its own");
    tap_is(APR_ARRAY_IDX(lines, 0, const char *), "Content-Type: application/json", "its type");
    tap_is(APR_ARRAY_IDX(lines, 1, const char *), "x-goog-api-key: " KEY, "the key");
    tap_is(APR_ARRAY_IDX(lines, 2, const char *), "X-Server-Timeout: 30", "our patience");
    tap_ok(strncmp(APR_ARRAY_IDX(lines, 3, const char *), "User-Agent: mod_identityimg/", 28) == 0,
           "and our name");
    for (size_t i = 0; i < COUNT(bad); i++) {
        iimg_generator_settings_t way = settings;

        way.gemini_key = bad[i];
        err = iimg_gemini_headers(pool, &way, &lines);
        tap_ok(err && err->kind == IIMG_UNAVAILABLE && strcmp(err->code, "provider_key") == 0,
               "key %d is unfit for a header", (int)i);
    }
}

/* Replies ------------------------------------------------------------------------------------- */

static apr_size_t step; /* bytes in which replies come and are followed; 0: nobody follows them */

static iimg_gemini_follow_t *followed(apr_pool_t *pool, const char *dir, const char *body)
{
    iimg_gemini_follow_t *follow = iimg_gemini_follow_create(pool, dir);
    apr_size_t length = strlen(body);

    for (apr_size_t at = 0; at < length; at += step) {
        apr_size_t n = step < length - at ? step : length - at;

        iimg_gemini_follow(follow, apr_pmemdup(pool, body + at, n), n);
    }
    return follow;
}

static iimg_error_t *reply_with(iimg_context_t *context, const iimg_generator_settings_t *way,
                                int status, const char *body, iimg_generator_result_t **result)
{
    iimg_http_response_t response = {
        .outcome = IIMG_HTTP_OK,
        .problem = "",
        .status = status,
        .headers = apr_table_make(context->pool, 2),
        .body = body,
        .length = strlen(body),
        .follower = step ? followed(context->pool, way->spool_dir, body) : NULL,
    };

    *result = NULL;
    return iimg_gemini_reply(context, way, &wish, &response, result);
}

static iimg_error_t *reply_to(iimg_context_t *context, int status, const char *body,
                              iimg_generator_result_t **result)
{
    return reply_with(context, &settings, status, body, result);
}

static const struct {
    const char *sentence;
    const char *body;
    const char *data;
    apr_size_t length;
} pictures[] = {
    { "a PNG is taken", REPLY(PICTURE("image/png", PNG64), "STOP"), PNG, sizeof(PNG) - 1 },
    { "a JPEG is taken", REPLY(PICTURE("image/jpeg", JPEG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a WebP is taken", REPLY(PICTURE("image/webp", WEBP64), "STOP"), WEBP, sizeof(WEBP) - 1 },
    { "a JPEG called PNG is taken", REPLY(PICTURE("image/png", JPEG64), "STOP"), JPEG,
      sizeof(JPEG) - 1 },
    { "a picture without any label is taken",
      REPLY("{\"inlineData\":{\"data\":\"" PNG64 "\"}}", "STOP"), PNG, sizeof(PNG) - 1 },
    { "base64 without padding is read", REPLY(PICTURE("image/png", PNG64_BARE), "STOP"), PNG,
      sizeof(PNG) - 1 },
    { "URL-safe base64 is read", REPLY(PICTURE("image/jpeg", JPEG64_URL), "STOP"), JPEG,
      sizeof(JPEG) - 1 },
    { "nothing but the picture will do",
      "{\"candidates\":[{\"content\":{\"parts\":[" PICTURE("image/png", PNG64) "]}}]}", PNG,
      sizeof(PNG) - 1 },
    { "snake_case is read",
      "{\"candidates\":[{\"finish_reason\":\"STOP\",\"content\":{\"parts\":[{\"inline_data\":"
      "{\"mime_type\":\"image/png\",\"data\":\"" PNG64 "\"}}]}}]}",
      PNG, sizeof(PNG) - 1 },
    { "the last of two pictures is taken",
      REPLY(PICTURE("image/png", DRAFT64) "," PICTURE("image/png", PNG64), "STOP"), PNG,
      sizeof(PNG) - 1 },
    { "a thought before the picture is passed over",
      REPLY(THOUGHT(DRAFT64) "," PICTURE("image/jpeg", JPEG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a thought behind the picture is passed over",
      REPLY(PICTURE("image/jpeg", JPEG64) "," THOUGHT(PNG64), "STOP"), JPEG, sizeof(JPEG) - 1 },
    { "a lone thought of the right size is taken",
      REPLY(THOUGHT(DRAFT64) "," THOUGHT(PNG64), "STOP"), PNG, sizeof(PNG) - 1 },
    { "null is as good as nothing",
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

static void test_pictures(iimg_context_t *context)
{
    for (size_t i = 0; i < COUNT(pictures); i++) {
        iimg_generator_result_t *result;
        iimg_error_t *err = reply_to(context, 200, pictures[i].body, &result);

        tap_ok(!err && result && result->length == pictures[i].length
                   && memcmp(result->data, pictures[i].data, result->length) == 0,
               "%s", pictures[i].sentence);
        tap_is_number(result && result->warnings ? result->warnings->nelts : -1, 0,
                      "without a warning");
    }
}

typedef struct failure_t {
    const char *sentence;
    int status;
    const char *body;
    iimg_error_kind_t kind;
    const char *code;
    const char *message; /* is in it */
    const char *detail;  /* is in it */
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
        "finishReason " reason " is a mistake of ours", 200, NO_PARTS(reason), IIMG_UPSTREAM, \
            "provider_request", "before the picture was done", reason \
    }
#define RETRY_INFO(delay) \
    "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" delay "\"}"

static const failure_t failures[] = {
    REFUSAL("SAFETY", "safety check objected to the request. Try other"),
    REFUSAL("IMAGE_SAFETY", "safety check objected to the finished picture. Try other"),
    REFUSAL("PROHIBITED_CONTENT", "something it forbids. Try other"),
    REFUSAL("IMAGE_PROHIBITED_CONTENT", "something it forbids. Try other"),
    REFUSAL("BLOCKLIST", "has a word that it forbids. Try other words"),
    REFUSAL("SPII", "sensitive personal data"),
    REFUSAL("RECITATION", "repeat somebody else's work"),
    REFUSAL("IMAGE_RECITATION", "repeat somebody else's work"),
    REFUSAL("LANGUAGE", "language"),
    BLOCK("SAFETY", "safety check"),
    BLOCK("IMAGE_SAFETY", "safety check"),
    BLOCK("BLOCKLIST", "has a word"),
    BLOCK("PROHIBITED_CONTENT", "forbids"),
    BLOCK("MODEL_ARMOR", "safety rule"),
    BLOCK("JAILBREAK", "get around"),
    BLOCK("OTHER", "no reason that we know"),
    BLOCK("BAD_MOOD", "no reason that we know"),
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
    { "a picture that MAX_TOKENS broke off is no picture", 200,
      REPLY(PICTURE("image/png", DRAFT64), "MAX_TOKENS"), IIMG_UPSTREAM, "provider_request", "",
      "" },
    { "a lone thought needs STOP", 200, REPLY(THOUGHT(PNG64), "WONDERFUL"), IIMG_UPSTREAM,
      "no_image", "", "" },
    { "broken base64 is no answer", 200, REPLY(PICTURE("image/png", "!!BORw0KGgo="), "STOP"),
      IIMG_UPSTREAM, "provider_reply", "", "base64" },
    { "a GIF is not wanted", 200, REPLY(PICTURE("image/png", GIF64), "STOP"), IIMG_UPSTREAM,
      "provider_reply", "", "neither JPEG" },
    { "text called PNG is no picture", 200, REPLY(PICTURE("image/png", "aGVsbG8="), "STOP"),
      IIMG_UPSTREAM, "provider_reply", "", "neither JPEG" },
    { "members of a wrong kind are no picture", 200,
      "{\"candidates\":{\"0\":1},\"promptFeedback\":[],\"usageMetadata\":7}", IIMG_UPSTREAM,
      "no_image", "", "" },
    { "parts of a wrong kind are no picture", 200,
      "{\"candidates\":[{\"finishReason\":7,\"content\":{\"parts\":[1,[],{\"inlineData\":\"x\"},"
      "{\"inlineData\":{\"data\":1}}]}}]}",
      IIMG_UPSTREAM, "no_image", "", "" },

    { "an empty body is no answer", 200, "", IIMG_UPSTREAM, "provider_reply", "", "no JSON" },
    { "HTML is no answer", 200, "<html>sorry</html>", IIMG_UPSTREAM, "provider_reply", "",
      "no JSON" },
    { "cut JSON is no answer", 200, "{\"candidates\":[{\"content\":{\"parts\":[", IIMG_UPSTREAM,
      "provider_reply", "", "no JSON" },
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
      "The image provider refused this server's key; an operator must look at it.",
      "HTTP 400 INVALID_ARGUMENT API_KEY_INVALID: Bad key." },
    { "400 may mean the account", 400, ERROR("400", "FAILED_PRECONDITION", "Billing.", ""),
      IIMG_UNAVAILABLE, "provider_key", "billing and region", "FAILED_PRECONDITION" },
    { "401 means the key", 401, ERROR("401", "UNAUTHENTICATED", "No.", ""), IIMG_UNAVAILABLE,
      "provider_key", "refused this server's key", "" },
    { "403 means the key", 403, ERROR("403", "PERMISSION_DENIED", "Leaked.", ""), IIMG_UNAVAILABLE,
      "provider_key", "refused this server's key", "Leaked." },
    { "404 names model and directive", 404, ERROR("404", "NOT_FOUND", "Not found.", ""),
      IIMG_UPSTREAM, "model_retired",
      "the model " MODEL "; an operator must name another with "
      "IdentityImgGeminiModel.",
      "NOT_FOUND" },
    { "413 is a request refused", 413, "", IIMG_UPSTREAM, "provider_request", "", "HTTP 413" },
    { "429 is a limit", 429, ERROR("429", "RESOURCE_EXHAUSTED", "Slow.", RETRY_INFO("37s")),
      IIMG_LIMITED, "provider_busy", "used up", "Slow." },
    { "429 in an array is the same", 429,
      "[" ERROR("429", "RESOURCE_EXHAUSTED", "Slow.", RETRY_INFO("37s")) "]", IIMG_LIMITED,
      "provider_busy", "used up", "HTTP 429 RESOURCE_EXHAUSTED: Slow." },
    { "500 is the provider's trouble", 500, ERROR("500", "INTERNAL", "Oops.", ""), IIMG_UNAVAILABLE,
      "provider_busy", "failed with an internal error", "INTERNAL" },
    { "502 from a machine between is trouble", 502, "<html>Bad\r\nGateway</html>", IIMG_UNAVAILABLE,
      "provider_busy", "", "HTTP 502: <html>Bad  Gateway</html>" },
    { "503 is the provider's trouble", 503,
      ERROR("503", "UNAVAILABLE", "Overloaded.", "{\"reason\":\"MODEL_CAPACITY_EXHAUSTED\"}"),
      IIMG_UNAVAILABLE, "provider_busy", "overloaded", "MODEL_CAPACITY_EXHAUSTED" },
    { "503 with an empty body too", 503, "", IIMG_UNAVAILABLE, "provider_busy", "", "HTTP 503" },
    { "504 is a timeout", 504, ERROR("504", "DEADLINE_EXCEEDED", "Late.", ""),
      IIMG_UPSTREAM_TIMEOUT, "timeout", "in time", "" },
    { "an unlisted 4xx is a request refused", 418, "{}", IIMG_UPSTREAM, "provider_request", "",
      "HTTP 418" },
    { "an error that repeats the key does not tell it", 403,
      "{\"error\":{\"code\":403,\"status\":\"" KEY "\",\"message\":\"key " KEY " and " KEY "\","
      "\"details\":[{\"reason\":\"" KEY "\"}]}}",
      IIMG_UNAVAILABLE, "provider_key", "", "HTTP 403 [key] [key]: key [key] and [key]" },
    { "nor does an error page", 500, "<p>" KEY "</p>", IIMG_UNAVAILABLE, "provider_busy", "",
      "<p>[key]</p>" },
    { "nor does an answer that is no JSON", 200, KEY, IIMG_UPSTREAM, "provider_reply", "", "" },
};

static bool holds(const char *text, const char *part)
{
    return (text ? strstr(text, part) : NULL) != NULL;
}

static void test_failures(iimg_context_t *context)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        const failure_t *row = &failures[i];
        iimg_generator_result_t *result;
        iimg_error_t *err = reply_to(context, row->status, row->body, &result);

        if (!tap_ok(err != NULL && !(result && result->data), "%s", row->sentence)) {
            continue;
        }
        tap_is_number(err->kind, row->kind, "it has its kind");
        tap_is(err->code, row->code, "it has its code");
        if (!tap_ok(holds(err->message, row->message) && holds(err->detail, row->detail),
                    "it says what it should")) {
            printf("# message: %s\n# detail: %s\n", err->message, err->detail);
        }
        tap_ok(!holds(err->message, KEY) && !holds(err->detail, KEY)
                   && !holds(err->message, "finishReason"),
               "and nothing that it should not");
    }
}

static void test_outcomes(iimg_context_t *context)
{
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
        iimg_generator_result_t *result = NULL;
        iimg_error_t *err = iimg_gemini_reply(context, &settings, &wish, &response, &result);

        tap_ok(err && err->kind == rows[i].kind && strcmp(err->code, rows[i].code) == 0, "%s is %s",
               rows[i].sentence, rows[i].code);
        tap_ok(err && err->detail && !strstr(err->detail, KEY), "and its detail has no key");
    }
}

static int retry_of(iimg_context_t *context, const char *delay, const char *header)
{
    const char *body = apr_psprintf(context->pool, ERROR("429", "RESOURCE_EXHAUSTED", "m", "%s"),
                                    delay ? apr_psprintf(context->pool, RETRY_INFO("%s"), delay)
                                          : "");
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
    return iimg_gemini_error(context->pool, &settings, MODEL, &response)->retry_after;
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
    if (!tap_ok(!err, "a talkative reply is understood")) {
        return;
    }
    tap_is(result->usage,
           "{\"totalTokenCount\":2552,\"promptTokenCount\":32,\"modelStatus\":{\"message\":"
           "\"Ends.\"}}",
           "token counts are kept as compact JSON");
    tap_ok(result->warnings->nelts == 1
               && strcmp(APR_ARRAY_IDX(result->warnings, 0, const char *),
                         "The provider wrote: One. Two.")
                      == 0,
           "which the admin gets to read");
    tap_is(result->text, "One.\nTwo.", "its words are joined, without the thoughts");
    tap_is(result->model, "gemini-9", "the model that answered is kept");
    tap_ok(work_logged(context, "gemini-9 answered")
               && work_logged(context, "gemini-9 answered")->level == IIMG_LOG_INFO,
           "another model than asked for is logged at info");
    tap_ok(work_logged(context, "calls a picture image/png that is image/jpeg")
               && work_logged(context, "calls a picture")->level == IIMG_LOG_DEBUG,
           "a wrong label is logged at debug");
    tap_ok(work_logged(context, "Ends.") != NULL, "what is said of the model's end is logged");
    err = reply_to(context, 200, REPLY(PICTURE("image/png", PNG64), "STOP"), &result);
    tap_ok(!err && !result->usage && !result->text && !result->model,
           "what a reply does not say is NULL");
}

static void test_size_warning(iimg_context_t *context)
{
    iimg_generator_result_t *result;
    iimg_error_t *err = reply_to(context, 200, REPLY(PICTURE("image/png", DRAFT64), "STOP"),
                                 &result);

    tap_ok(!err && result->warnings->nelts == 1, "a picture of another size comes with a warning");
    tap_is(err ? NULL : APR_ARRAY_IDX(result->warnings, 0, const char *),
           "The provider made a picture of 512 x 512 pixels instead of 1376 x 768.",
           "that names both sizes");
    tap_ok(work_logged(context, "IIMG0041: ") != NULL, "and is logged");
}

/* The answer has come whole, and there is no room for what it decodes to. */
static void test_no_room(iimg_context_t *context, apr_size_t piece)
{
    static char padding[256 * 1024];
    struct rlimit before, little;
    iimg_generator_settings_t way = settings;
    iimg_generator_result_t *result = NULL;
    const char *body;
    iimg_error_t *err;

    step = piece;
    memset(padding, 'A', sizeof(padding) - 4); /* base64 comes in fours */
    body = apr_psprintf(context->pool, REPLY(PICTURE("image/png", "%s%s"), "STOP"), PNG64_WHOLE,
                        padding);
    way.spool_dir = "/tmp";
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    little = before;
    little.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &little);
    err = reply_with(context, &way, 200, body, &result);
    setrlimit(RLIMIT_FSIZE, &before);
    tap_ok(err && err->kind == IIMG_UNAVAILABLE, "a picture that finds no room is an error");
    tap_is(err ? err->code : NULL, "spool_down", "whose code names the spool");
    tap_is(err ? err->billed : NULL, "t", "and that was billed");
    tap_ok(err && err->again == IIMG_AGAIN_NO, "it is not billed a second time");
    tap_ok(err && strstr(err->message, "The picture was made") != NULL, "its sentence says so");
    tap_ok(err && err->detail && strstr(err->detail, strerror(EFBIG)) != NULL,
           "and its detail has the system's reason");
    tap_ok(!(result && result->data), "there is no picture");
    err = reply_with(context, &way, 200, body, &result);
    tap_ok(!err && result->length > sizeof(padding) / 2, "with room it is taken");
    step = 0;
}

/* A PNG's header in base64, of any size. */
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
        { 1376, 768, false, "the size asked for" },
        { 1376 + 13, 768 + 7, false, "1 % larger" },
        { 1376 - 13, 768 - 7, false, "1 % smaller" },
        { 1376 + 27, 768 + 15, false, "all but 2 % larger" },
        { 1376 - 27, 768 - 15, false, "all but 2 % smaller" },
        { 1376 + 28, 768, true, "more than 2 % wider" },
        { 1376 - 28, 768, true, "... narrower" },
        { 1376, 768 + 16, true, "more than 2 % higher" },
        { 1376, 768 - 16, true, "... lower" },
        { 1376 + 41, 768, true, "3 % wider" },
        { 1376, 768 - 23, true, "3 % lower" },
        { 1376 - 41, 768 - 23, true, "3 % smaller" },
        { 1376 + 138, 768 + 77, true, "10 % larger" },
        { 1376, 768 + 77, true, "10 % higher" },
        { 768, 1376, true, "lying on its side" },
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

static void test_quote(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 1001);
    const char *quoted;

    memset(text, 'x', 1000);
    tap_is_number(strlen(iimg_gemini_quote(pool, text, 1000, KEY)), 500, "a quote ends at 500");
    for (int i = 0; i < 1000; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    quoted = iimg_gemini_quote(pool, text, 999, NULL);
    tap_ok(strlen(quoted) <= 500 && strlen(quoted) % 2 == 0, "and never within a character");
    memcpy(text + 490, KEY, sizeof(KEY) - 1);
    tap_ok(!strstr(iimg_gemini_quote(pool, text, 1000, KEY), "AQ."),
           "a key at the end of a quote does not begin there");
    tap_is(iimg_gemini_quote(pool, "a\r\nb\x1b[0m", 8, NULL), "a  b [0m",
           "control characters become blanks");
    tap_is(iimg_gemini_quote(pool, "", 0, KEY), "", "nothing stays nothing");
}

/* With a server ------------------------------------------------------------------------------- */

static iimg_error_t *generate(iimg_context_t *context, double_t *server, const char *scenario,
                              int timeout, iimg_generator_result_t **result)
{
    iimg_generator_settings_t way = settings;
    iimg_generator_request_t request = wish;

    way.gemini_endpoint = apr_psprintf(context->pool, "http://127.0.0.1:%d/", server->port);
    way.timeout = timeout;
    request.prompt = apr_psprintf(context->pool, "%s [[scenario:%s]]", wish.prompt, scenario);
    *result = NULL;
    return iimg_generator_gemini.generate(context, &way, &request, result);
}

static const char *const good_scenarios[] = {
    "ok",
    "pretty",
    "png",
    "png-labelled-jpeg",
    "jpeg-labelled-png",
    "escaped",
    "text",
    "thoughts",
    "only-thought",
    "two-images",
    "snake",
    "nulls",
    "shuffled",
    "bare",
    "unpadded",
    "urlsafe",
    "other-model",
    "retiring",
    "big",
    "gzip",
    "chunked",
    "no-length",
    "interim",
    "text-plain",
    "array",
    "slow:100",
    "slow-body:100",
    "finish:WONDERFUL",
    "wrong-size",
};

static const struct {
    const char *scenario;
    iimg_error_kind_t kind;
    const char *code;
} bad_scenarios[] = {
    { "only-draft", IIMG_UPSTREAM, "no_image" },
    { "no-image", IIMG_UPSTREAM, "no_image" },
    { "empty-object", IIMG_UPSTREAM, "no_image" },
    { "no-content", IIMG_UPSTREAM, "no_image" },
    { "refused:IMAGE_SAFETY", IIMG_REFUSED, "refused" },
    { "refused:NO_IMAGE", IIMG_UPSTREAM, "no_image" },
    { "refused:CONTINUATION", IIMG_UPSTREAM, "provider_request" },
    { "finish:SAFETY", IIMG_REFUSED, "refused" },
    { "blocked:SAFETY", IIMG_REFUSED, "refused" },
    { "bad-base64", IIMG_UPSTREAM, "provider_reply" },
    { "not-a-picture", IIMG_UPSTREAM, "provider_reply" },
    { "gif", IIMG_UPSTREAM, "provider_reply" },
    { "status:400", IIMG_UPSTREAM, "provider_request" },
    { "status:401", IIMG_UNAVAILABLE, "provider_key" },
    { "status:403", IIMG_UNAVAILABLE, "provider_key" },
    { "status:404", IIMG_UPSTREAM, "model_retired" },
    { "status:429", IIMG_LIMITED, "provider_busy" },
    { "status:499", IIMG_UPSTREAM, "provider_request" },
    { "status:500", IIMG_UNAVAILABLE, "provider_busy" },
    { "status:503", IIMG_UNAVAILABLE, "provider_busy" },
    { "status:504", IIMG_UPSTREAM_TIMEOUT, "timeout" },
    { "precondition", IIMG_UNAVAILABLE, "provider_key" },
    { "key-invalid", IIMG_UNAVAILABLE, "provider_key" },
    { "echo-key", IIMG_UNAVAILABLE, "provider_key" },
    { "quota-zero", IIMG_LIMITED, "provider_busy" },
    { "quota-fraction", IIMG_LIMITED, "provider_busy" },
    { "quota-forever", IIMG_LIMITED, "provider_busy" },
    { "retry-after:5", IIMG_LIMITED, "provider_busy" },
    { "array-error", IIMG_LIMITED, "provider_busy" },
    { "error-200", IIMG_UNAVAILABLE, "provider_busy" },
    { "html", IIMG_UPSTREAM, "provider_reply" },
    { "html-503", IIMG_UNAVAILABLE, "provider_busy" },
    { "empty", IIMG_UPSTREAM, "provider_reply" },
    { "cut-json", IIMG_UPSTREAM, "provider_reply" },
    { "short-body", IIMG_UPSTREAM, "provider_reply" },
    { "short-chunked", IIMG_UPSTREAM, "provider_reply" },
    { "reset", IIMG_UPSTREAM, "provider_reply" },
    { "close", IIMG_UPSTREAM, "provider_reply" },
    { "not-http", IIMG_UPSTREAM, "provider_reply" },
    { "silence", IIMG_UPSTREAM_TIMEOUT, "timeout" },
    { "slow:5000", IIMG_UPSTREAM_TIMEOUT, "timeout" },
    { "redirect", IIMG_UPSTREAM, "provider_reply" },
    { "redirect-host", IIMG_UPSTREAM, "provider_reply" },
};

static void test_good_scenarios(iimg_context_t *context, double_t *server)
{
    for (size_t i = 0; i < COUNT(good_scenarios); i++) {
        iimg_generator_result_t *result;
        iimg_error_t *err = generate(context, server, good_scenarios[i], 30, &result);

        if (!tap_ok(!err && result->length > 100, "the scenario %s yields a picture",
                    good_scenarios[i])) {
            printf("# %s: %s\n", err ? err->code : "", err ? err->detail : "");
        }
    }
}

static void test_bad_scenarios(iimg_context_t *context, double_t *server)
{
    for (size_t i = 0; i < COUNT(bad_scenarios); i++) {
        iimg_generator_result_t *result;
        iimg_error_t *err = generate(context, server, bad_scenarios[i].scenario, 1, &result);

        tap_ok(err && err->kind == bad_scenarios[i].kind
                   && strcmp(err->code, bad_scenarios[i].code) == 0,
               "the scenario %s ends as %s", bad_scenarios[i].scenario, bad_scenarios[i].code);
        tap_ok(err && !holds(err->message, KEY) && !holds(err->detail, KEY),
               "and does not tell the key");
    }
}

/* One request for the retired model, and what the server saw of it. */
static void test_alias(iimg_context_t *context, double_t *server)
{
    iimg_generator_settings_t way = settings;
    iimg_generator_request_t request = wish;
    iimg_generator_result_t *result = NULL;
    iimg_error_t *err;

    way.gemini_endpoint = apr_psprintf(context->pool, "http://localhost:%d", server->port);
    way.gemini_version = "v1";
    request.model = "models/gemini-3-pro-image-preview";
    work_log_clear(context);
    err = iimg_generator_gemini.generate(context, &way, &request, &result);
    tap_ok(!err && result->warnings->nelts == 1
               && strstr(APR_ARRAY_IDX(result->warnings, 0, const char *), MODEL " was used"),
           "the retired model's name works, with a warning");
    tap_ok(work_logged(context, "IIMG0040: ")
               && work_logged(context, "IIMG0040: ")->level == IIMG_LOG_WARNING,
           "which is logged as one");
    tap_is(err ? NULL : result->model, MODEL, "and the living model answered");
    tap_ok(work_logged(context, "step provider " MODEL) != NULL, "the time it took is logged");
    tap_ok(work_logged(context, "/v1/models/" MODEL ":generateContent -> 200") != NULL,
           "and so is the request");
    request.model = "gemini-2-unheard-of";
    err = iimg_generator_gemini.generate(context, &way, &request, &result);
    tap_is(err ? err->code : NULL, "model_retired", "a model that is not there is an error");
}

static const char *last_record(iimg_context_t *context, double_t *server)
{
    iimg_http_request_t request = {
        .method = "GET",
        .allow_http = true,
        .connect_timeout = 2,
        .timeout = 10,
        .max_response = 64 * 1024 * 1024,
        .url = apr_psprintf(context->pool, "http://127.0.0.1:%d/__record", server->port),
    };

    return iimg_http_send(context, context->pool, &request)->body;
}

static void test_record(iimg_context_t *context, double_t *server)
{
    iimg_generator_result_t *result;
    iimg_error_t *err = generate(context, server, "ok", 30, &result);
    json_t *all = iimg_json_own(context->pool, json_loads(last_record(context, server), 0, NULL));
    json_t *last = json_array_get(all, json_array_size(all) - 1);
    json_t *content = json_array_get(json_object_get(json_object_get(last, "body"), "contents"), 0);
    json_t *parts = json_object_get(content, "parts");
    char *text = json_dumps(last, JSON_COMPACT);

    tap_ok(!err, "a last picture is made");
    tap_is_number(json_array_size(parts), 4, "a text and three references were received");
    tap_ok(holds(text, "[\"x-goog-api-key\",\"present\"]"), "with the key");
    tap_ok(holds(text, "[\"X-Server-Timeout\",\"30\"]"), "and our patience");
    tap_ok(holds(text, "{\"mimeType\":\"image/png\",\"data\":{\"sha256\":"),
           "the first reference is labelled by its bytes");
    tap_ok(!holds(text, KEY), "the key is not in the record");
    free(text);
}

static void test_with_server(iimg_context_t *context)
{
    double_t server;

    switch (double_start(&server, "gemini.mjs", NULL, NULL)) {
    case DOUBLE_NO_NODE:
        tap_ok(true, "pictures from a server # SKIP node is not installed");
        return;
    case DOUBLE_BROKEN:
        tap_ok(false, "the double starts");
        return;
    case DOUBLE_RUNS:
        break;
    }
    work_log_clear(context);
    test_good_scenarios(context, &server);
    test_bad_scenarios(context, &server);
    tap_ok(!work_logged(context, KEY), "the key is in no line of the log");
    test_alias(context, &server);
    test_record(context, &server);
    tap_ok(double_stop(&server), "the double ends when its standard input closes");
}

/* What was decoded while it came is there, once, for whoever asks for the right place. */
static void test_follow(apr_pool_t *pool)
{
    const char *body = REPLY(THOUGHT(DRAFT64) "," PICTURE("image/png", PNG64), "STOP");
    iimg_gemini_follow_t *follow = step ? followed(pool, NULL, body) : NULL;
    iimg_json_cut_t *cut = iimg_gemini_follow_cut(follow, strlen(body));
    iimg_spool_t *spool;
    char bytes[sizeof(PNG)];

    if (!step) {
        tap_ok(!cut && !iimg_gemini_follow_take(NULL, pool, NULL), "nobody has followed");
        return;
    }
    tap_ok(cut && !iimg_gemini_follow_cut(follow, strlen(body) - 1),
           "the whole of it was followed");
    tap_ok(cut && !iimg_gemini_follow_take(follow, pool, iimg_json_cut_span(cut, "0")),
           "the first picture was not worth to be kept");
    spool = cut ? iimg_gemini_follow_take(follow, pool, iimg_json_cut_span(cut, "1")) : NULL;
    tap_ok(spool && spool->length == sizeof(PNG) - 1
               && iimg_spool_read(spool, 0, bytes, sizeof(bytes)) == sizeof(PNG) - 1
               && memcmp(bytes, PNG, sizeof(PNG) - 1) == 0,
           "the last one is there at once");
    tap_ok(cut && !iimg_gemini_follow_take(follow, pool, iimg_json_cut_span(cut, "1")),
           "and is given away once");
    follow = followed(pool, NULL, body);
    iimg_gemini_follow(follow, NULL, 0);
    iimg_gemini_follow(follow, " ", 1);
    tap_ok(cut && !iimg_gemini_follow_cut(follow, strlen(body) + 1)
               && !iimg_gemini_follow_take(follow, pool, iimg_json_cut_span(cut, "1")),
           "who has given up has nothing");
}

int main(void)
{
    static const apr_size_t steps[] = { 0, 1, 2, 3, 7, 100, 65536 };
    iimg_context_t *context = work_begin();

    tap_ok(iimg_http_start(), "libcurl starts");
    test_sizes();
    test_body(context->pool);
    test_body_refused(context->pool);
    test_addresses(context->pool);
    test_headers(context->pool);
    for (size_t i = 0; i < COUNT(steps); i++) {
        step = steps[i];
        test_pictures(context);
        test_failures(context);
        test_follow(context->pool);
    }
    step = 0;
    test_outcomes(context);
    test_retry_after(context);
    test_extras(context);
    test_size_warning(context);
    test_size_tolerance(context);
    test_no_room(context, 0);
    test_no_room(context, 1000);
    test_quote(context->pool);
    test_with_server(context);
    work_end(context);
    return tap_done();
}
