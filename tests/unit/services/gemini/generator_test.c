/* generator_test.c - the generator "gemini" with a local server in place of Google's. */
#include <jansson.h>
#include "base/http/http.h"
#include "base/json/json.h"
#include "services/gemini/gemini.h"
#include "services/generators.h"
#include "double.h"
#include "services/gemini/literals.h"

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
               "the error of the scenario %s has no key", bad_scenarios[i].scenario);
    }
}

/* A request for a retired model, as the server receives it. */
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
           "a retired model's name works, with a warning");
    tap_ok(work_logged(context, "IIMG0040: ")
               && work_logged(context, "IIMG0040: ")->level == IIMG_LOG_WARNING,
           "a retired model's name is logged as a warning");
    tap_is(err ? NULL : result->model, MODEL, "the successor answered");
    tap_ok(work_logged(context, "step provider " MODEL) != NULL,
           "the duration of the call is logged");
    tap_ok(work_logged(context, "/v1/models/" MODEL ":generateContent -> 200") != NULL,
           "the request is logged");
    request.model = "gemini-2-unheard-of";
    err = iimg_generator_gemini.generate(context, &way, &request, &result);
    tap_is(err ? err->code : NULL, "model_retired", "an unknown model is an error");
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

    tap_ok(!err, "the scenario ok yields a picture");
    tap_is_number(json_array_size(parts), 4, "the server received a text and three references");
    tap_ok(holds(text, "[\"x-goog-api-key\",\"present\"]"), "the request has the key");
    tap_ok(holds(text, "[\"X-Server-Timeout\",\"30\"]"), "the request has the timeout");
    tap_ok(holds(text, "{\"mimeType\":\"image/png\",\"data\":{\"sha256\":"),
           "the first reference has the media type of its bytes");
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
    tap_ok(!work_logged(context, KEY), "no log line has the key");
    test_alias(context, &server);
    test_record(context, &server);
    tap_ok(double_stop(&server), "the double ends when its standard input closes");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    tap_ok(iimg_http_start(), "libcurl starts");
    tap_ok(iimg_generator_by_name("gemini") == &iimg_generator_gemini,
           "the generator is found by its name");
    tap_ok(!iimg_generator_by_name("imagen"), "an unknown name finds no generator");
    tap_ok(iimg_generator_gemini.billed, "calls of the generator may be billed");
    test_with_server(context);
    work_end(context);
    return tap_done();
}
