/* request_test.c - URL, headers and JSON body of a generateContent request. */
#include "services/gemini/request.h"

#include <jansson.h>
#include "base/json/json.h"
#include "services/gemini/model.h"
#include "services/gemini/literals.h"

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

    tap_ok(json_equal(got, expected_body(pool)),
           "the body has the prompt, the references and the options");
    tap_ok(strstr(text, "[{\"parts\":[{\"text\":\"A \\\"calm\\\" portrait,\\n"
                        "\xc3\xa9t\xc3\xa9 \\\\ 100%\"},"
                        "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"")
               != NULL,
           "the prompt comes first, with only the necessary escapes");
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
           "a reference that is no picture is refused");
    reference.data = "GIF89a\1\0\1\0\0\0\0;";
    reference.length = 14;
    tap_ok(iimg_gemini_body(pool, &settings, &request, &chunks, &count) != NULL,
           "a GIF reference is refused");
    reference.data = large;
    reference.length = sizeof(large);
    err = iimg_gemini_body(pool, &settings, &request, &chunks, &count);
    tap_is(err ? err->code : NULL, "provider_request", "a body over 20 MB is refused");
}

static const struct {
    const char *endpoint, *version, *model;
    bool allow_http;
    const char *url, *code; /* either of them */
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
        tap_is(url, addresses[i].url, "endpoint %s and model %s have the expected URL",
               addresses[i].endpoint, addresses[i].model);
        tap_is(err ? err->code : NULL, addresses[i].code,
               "endpoint %s and model %s have the expected error code", addresses[i].endpoint,
               addresses[i].model);
        tap_ok(!err || !err->detail || !strstr(err->detail, "secret"),
               "the error for endpoint %s has no secret", addresses[i].endpoint);
    }
}

static void test_headers(apr_pool_t *pool)
{
    static const char *const bad[] = { NULL, "", "two words", "line\nbreak", "tail\r", "\xc3\xa9" };
    const apr_array_header_t *lines = NULL;
    iimg_error_t *err = iimg_gemini_headers(pool, &settings, &lines);

    tap_ok(!err && lines->nelts == 4, "a request has four headers");
    tap_is(APR_ARRAY_IDX(lines, 0, const char *), "Content-Type: application/json",
           "the first header is the content type");
    tap_is(APR_ARRAY_IDX(lines, 1, const char *), "x-goog-api-key: " KEY,
           "the second header is the key");
    tap_is(APR_ARRAY_IDX(lines, 2, const char *), "X-Server-Timeout: 30",
           "the third header is the timeout");
    tap_ok(strncmp(APR_ARRAY_IDX(lines, 3, const char *), "User-Agent: mod_identityimg/", 28) == 0,
           "the fourth header is the user agent");
    for (size_t i = 0; i < COUNT(bad); i++) {
        iimg_generator_settings_t way = settings;

        way.gemini_key = bad[i];
        err = iimg_gemini_headers(pool, &way, &lines);
        tap_ok(err && err->kind == IIMG_UNAVAILABLE && strcmp(err->code, "provider_key") == 0,
               "invalid key %d is refused", (int)i);
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_body(context->pool);
    test_body_refused(context->pool);
    test_addresses(context->pool);
    test_headers(context->pool);
    work_end(context);
    return tap_done();
}
