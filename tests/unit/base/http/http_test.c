/* http_test.c - base/http/http.c against a stand-in server: complete, broken and late responses. */
#include <signal.h>
#include <strings.h>
#include <sys/resource.h>
#include <jansson.h>
#include "base/http/http.h"
#include "base/json/json.h"
#include "base/spool.h"
#include "double.h"
#include "tap.h"
#include "work.h"

#define HEAD   "{\"contents\":[{\"parts\":[{\"text\":\""
#define TAIL   "\"}],\"role\":\"user\"}],\"store\":false}"
#define CHUNKS 5

static double_t server;

static const char *url_of(apr_pool_t *pool, const char *path)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d%s", server.port, path);
}

static iimg_http_request_t plain_get(apr_pool_t *pool, const char *path)
{
    iimg_http_request_t request = {
        .method = "GET",
        .url = url_of(pool, path),
        .allow_http = true,
        .connect_timeout = 2,
        .timeout = 10,
        .max_response = 64 * 1024 * 1024,
    };
    return request;
}

/* A post that asks for a scenario, its body in several pieces, two of them empty. */
static iimg_http_request_t scenario_post(apr_pool_t *pool, const char *scenario)
{
    iimg_http_request_t request = plain_get(pool, "/v1/models/gemini-3-pro-image:generateContent");
    apr_array_header_t *headers = apr_array_make(pool, 2, sizeof(const char *));
    iimg_http_chunk_t *body = apr_pcalloc(pool, CHUNKS * sizeof(*body));
    const char *texts[CHUNKS] = { HEAD, "", apr_psprintf(pool, "[[scenario:%s]]", scenario), "",
                                  TAIL };

    for (int i = 0; i < CHUNKS; i++) {
        body[i].data = texts[i];
        body[i].length = strlen(texts[i]);
    }
    APR_ARRAY_PUSH(headers, const char *) = "Content-Type: application/json";
    APR_ARRAY_PUSH(headers, const char *) = "x-goog-api-key: secret-key";
    request.method = "POST";
    request.headers = headers;
    request.body = body;
    request.body_chunks = CHUNKS;
    return request;
}

static iimg_http_response_t *play(iimg_context_t *context, const char *scenario)
{
    iimg_http_request_t request = scenario_post(context->pool, scenario);

    return iimg_http_send(context, context->pool, &request);
}

static void test_outcomes(iimg_context_t *context)
{
    static const struct {
        const char *scenario;
        iimg_http_outcome_t outcome;
        int status;
    } rows[] = {
        { "ok", IIMG_HTTP_OK, 200 },
        { "chunked", IIMG_HTTP_OK, 200 },
        { "no-length", IIMG_HTTP_OK, 200 },
        { "status:503", IIMG_HTTP_OK, 503 },
        { "empty", IIMG_HTTP_OK, 200 },
        { "redirect", IIMG_HTTP_OK, 307 },
        { "redirect-host", IIMG_HTTP_OK, 302 },
        { "short-body", IIMG_HTTP_BROKEN, 200 },
        { "short-chunked", IIMG_HTTP_BROKEN, 200 },
        { "reset", IIMG_HTTP_BROKEN, 0 },
        { "close", IIMG_HTTP_BROKEN, 0 },
        { "not-http", IIMG_HTTP_BROKEN, 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_http_response_t *response = play(context, rows[i].scenario);

        tap_is_number(response->outcome, rows[i].outcome, "the scenario %s has its outcome",
                      rows[i].scenario);
        tap_is_number(response->status, rows[i].status, "the scenario %s has its status",
                      rows[i].scenario);
        tap_ok((*response->problem != 0) == (response->outcome != IIMG_HTTP_OK),
               "the scenario %s has a problem exactly when it failed", rows[i].scenario);
    }
}

static void test_response(iimg_context_t *context)
{
    iimg_http_response_t *response = play(context, "retry-after:17");

    tap_is(apr_table_get(response->headers, "retry-after"), "17", "a header is found by name");
    tap_is_number(strlen(response->body), response->length, "the body is terminated by NUL");
    response = play(context, "empty");
    tap_is(response->body, "", "an empty body is an empty text");
    response = play(context, "interim");
    tap_is_number(response->status, 200, "the status is that of the final response");
    tap_is(apr_table_get(response->headers, "link"), NULL,
           "headers of an interim response are dropped");
}

static void test_gzip(iimg_context_t *context)
{
    iimg_http_response_t *response = play(context, "gzip");

    tap_is(apr_table_get(response->headers, "content-encoding"), "gzip",
           "the server compressed the body");
    tap_ok(response->body[0] == '{' && response->body[response->length - 1] == '}',
           "a compressed body arrives decoded");
}

static void test_limits(iimg_context_t *context)
{
    static const char *const scenarios[] = { "big", "no-length", "chunked", "gzip" };
    iimg_http_request_t request;
    iimg_http_response_t *response;

    response = play(context, "big");
    tap_is_number(response->outcome, IIMG_HTTP_OK, "24 MiB are received below a limit of 64 MiB");
    tap_ok(response->length > 32u * 1024 * 1024, "all 24 MiB are received");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        request = scenario_post(context->pool, scenarios[i]);
        request.max_response = 500;
        response = iimg_http_send(context, context->pool, &request);
        tap_is_number(response->outcome, IIMG_HTTP_TOO_LARGE, "the scenario %s exceeds 500 bytes",
                      scenarios[i]);
        tap_ok(response->length <= 500, "no more than the limit is stored");
    }
}

typedef struct follower_t {
    apr_size_t seen;
    int given_up;
} follower_t;

/* Remove what the follower wrote, so that there is room. */
static void follow(void *baton, const char *data, apr_size_t length)
{
    struct rlimit room = { RLIM_INFINITY, RLIM_INFINITY };
    follower_t *follower = baton;

    follower->seen += length;
    if (!data) {
        follower->given_up++;
        getrlimit(RLIMIT_FSIZE, &room);
        room.rlim_cur = room.rlim_max;
        setrlimit(RLIMIT_FSIZE, &room);
    }
}

static iimg_http_response_t *play_into_a_little_room(iimg_context_t *context, follower_t *follower)
{
    iimg_http_request_t request = scenario_post(context->pool, "big");
    struct rlimit before, little;
    iimg_http_response_t *response;
    int error;

    getrlimit(RLIMIT_FSIZE, &before);
    little = before;
    little.rlim_cur = 1024 * 1024;
    request.spool = iimg_spool_create(context->pool, "/tmp", &error);
    request.follow = follower ? follow : NULL;
    request.follower = follower;
    setrlimit(RLIMIT_FSIZE, &little);
    response = iimg_http_send(context, context->pool, &request);
    setrlimit(RLIMIT_FSIZE, &before);
    return response;
}

/* A follower gives up its room for the response. */
static void test_spool(iimg_context_t *context)
{
    follower_t follower = { 0, 0 };
    iimg_http_response_t *response;

    signal(SIGXFSZ, SIG_IGN);
    response = play_into_a_little_room(context, NULL);
    tap_is_number(response->outcome, IIMG_HTTP_NOT_KEPT, "a response without room is not stored");
    response = play_into_a_little_room(context, &follower);
    tap_is_number(response->outcome, IIMG_HTTP_OK, "a follower frees its room");
    tap_is_number(follower.given_up, 1, "once");
    tap_is_number(follower.seen, response->spool->length, "the follower receives the whole body");
    tap_ok(response->spool->length > 32u * 1024 * 1024, "the spool has the whole body");
}

static void test_time(iimg_context_t *context)
{
    static const char *const scenarios[] = { "silence", "slow:5000", "slow-body:5000" };

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        iimg_http_request_t request = scenario_post(context->pool, scenarios[i]);
        apr_time_t began = apr_time_now();
        iimg_http_response_t *response;

        request.timeout = 1;
        response = iimg_http_send(context, context->pool, &request);
        tap_is_number(response->outcome, IIMG_HTTP_TIMED_OUT, "%s ends after a second",
                      scenarios[i]);
        tap_ok(apr_time_now() - began < apr_time_from_sec(3), "it does not take much longer");
    }
}

static void test_no_connection(iimg_context_t *context)
{
    iimg_http_request_t request = plain_get(context->pool, "/__record");

    request.url = "http://127.0.0.1:1/";
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "a closed port is no connection");
    request.url = "http://host.invalid/";
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "an unknown host is no connection");
    request.url = apr_psprintf(context->pool, "https://127.0.0.1:%d/", server.port);
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "https to a server without TLS is no connection");
    request.url = "file:///etc/hostname";
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "a file URL is refused");
    request = plain_get(context->pool, "/__record");
    request.allow_http = false;
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "plain http is refused unless allowed");
    request.allow_http = true;
    request.proxy = "http://127.0.0.1:1";
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_CONNECT,
                  "a configured proxy is used, for loopback, too");
}

static json_t *record(iimg_context_t *context)
{
    iimg_http_request_t request = plain_get(context->pool, "/__record");
    iimg_http_response_t *response = iimg_http_send(context, context->pool, &request);

    return iimg_json_own(context->pool, json_loadb(response->body, response->length, 0, NULL));
}

static const char *header_of(const json_t *entry, const char *name)
{
    json_t *pair;
    size_t i;

    json_array_foreach (json_object_get(entry, "headers"), i, pair) {
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0) {
            return json_string_value(json_array_get(pair, 1));
        }
    }
    return NULL;
}

static void forget(iimg_context_t *context)
{
    iimg_http_request_t request = plain_get(context->pool, "/__record");

    request.method = "DELETE";
    tap_is_number(iimg_http_send(context, context->pool, &request)->status, 204,
                  "DELETE is sent as DELETE");
}

static void test_what_is_sent(iimg_context_t *context)
{
    const char *whole = HEAD "[[scenario:redirect]]" TAIL;
    json_t *entries, *entry;

    forget(context);
    play(context, "redirect");
    entries = record(context);
    entry = json_array_get(entries, 0);
    tap_is_number(json_array_size(entries), 1, "a redirect is not followed");
    tap_is(json_string_value(json_object_get(entry, "method")), "POST", "POST is sent as POST");
    tap_is_number(json_integer_value(json_object_get(entry, "length")), strlen(whole),
                  "the pieces of the body arrive in order");
    tap_is(header_of(entry, "content-length"), apr_itoa(context->pool, (int)strlen(whole)),
           "the body has one Content-Length");
    tap_is(header_of(entry, "transfer-encoding"), NULL, "the body is not chunked");
    tap_is(header_of(entry, "expect"), NULL, "there is no Expect header");
    tap_is(header_of(entry, "content-type"), "application/json", "headers go out as given");
    tap_is(header_of(entry, "x-goog-api-key"), "present", "the key is among them");
    tap_ok(header_of(entry, "accept-encoding")
               && strstr(header_of(entry, "accept-encoding"), "gzip"),
           "gzip is accepted");
}

static void test_other_methods(iimg_context_t *context)
{
    iimg_http_request_t request = scenario_post(context->pool, "ok");
    json_t *entries;

    forget(context);
    request.method = "PUT";
    request.headers = NULL;
    iimg_http_send(context, context->pool, &request);
    request.body_chunks = 0;
    request.method = "POST";
    iimg_http_send(context, context->pool, &request);
    request.method = "HEAD";
    tap_is_number(iimg_http_send(context, context->pool, &request)->outcome, IIMG_HTTP_OK,
                  "HEAD does not wait for a body");
    entries = record(context);
    tap_is(json_string_value(json_object_get(json_array_get(entries, 0), "method")), "PUT",
           "PUT is sent as PUT");
    tap_is(header_of(json_array_get(entries, 0), "content-type"), NULL, "no Content-Type is added");
    tap_is(header_of(json_array_get(entries, 1), "content-length"), "0",
           "a POST without a body has the length 0");
}

static void test_log(iimg_context_t *context)
{
    const work_line_t *line;

    work_log_clear(context);
    play(context, "status:429");
    line = work_logged(context, ":generateContent -> 429, ");
    tap_ok(line != NULL, "a request is one line in the log");
    tap_is_number(line ? line->level : IIMG_LOG_ERROR, IIMG_LOG_TRACE, "at trace");
    tap_ok(!work_logged(context, "secret-key"), "the key is in no line");
    tap_ok(!work_logged(context, "contents"), "the body is in no line");
}

static void test_environment(iimg_context_t *context)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    tap_is_number(play(context, "ok")->outcome, IIMG_HTTP_OK,
                  "the environment's proxy is not used");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void test_with_server(iimg_context_t *context)
{
    test_outcomes(context);
    test_response(context);
    test_gzip(context);
    test_limits(context);
    test_spool(context);
    test_time(context);
    test_no_connection(context);
    test_what_is_sent(context);
    test_other_methods(context);
    test_log(context);
    test_environment(context);
    tap_ok(double_stop(&server), "the double ends when its standard input closes");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    tap_ok(iimg_http_start(), "libcurl starts");
    switch (double_start(&server, "gemini.mjs", NULL, NULL)) {
    case DOUBLE_RUNS:
        test_with_server(context);
        break;
    case DOUBLE_NO_NODE:
        tap_ok(true, "responses of a server # SKIP node is not installed");
        break;
    case DOUBLE_BROKEN:
        tap_ok(false, "the double starts");
        break;
    }
    work_end(context);
    return tap_done();
}
