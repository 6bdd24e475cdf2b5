/* request.c - builds a request to Gemini's generateContent: URL, headers and JSON body. */
#include "services/gemini/request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include <apr_encode.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include "base/json/json.h"
#include "base/media_type.h"
#include "base/version.h"

/* URL ----------------------------------------------------------------------------------------- */

static bool is_model_name(const char *model)
{
    const char *p = model;

    while (isalnum((unsigned char)*p) || (*p && strchr("-._", *p))) {
        p++;
    }
    return *model && *model != '.' && !*p;
}

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &four) == 1) {
        return (ntohl(four.s_addr) >> 24) == 127;
    }
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static const char *endpoint_problem(apr_pool_t *pool, const iimg_generator_settings_t *settings)
{
    apr_uri_t uri;

    if (apr_uri_parse(pool, settings->gemini_endpoint, &uri) != APR_SUCCESS || !uri.scheme
        || !uri.hostname) {
        return "it is no URL";
    }
    /* URLs are logged, so they must not contain secrets. */
    if (uri.user || uri.password || uri.query || uri.fragment) {
        return "it has a user name, a query or a fragment";
    }
    if (strcasecmp(uri.scheme, "https") == 0) {
        return NULL;
    }
    if (strcasecmp(uri.scheme, "http") != 0) {
        return "it is neither https nor http";
    }
    return settings->allow_http || is_loopback(uri.hostname)
               ? NULL
               : "http would send the key and photos unencrypted";
}

static const char *without_slashes(apr_pool_t *pool, const char *endpoint)
{
    apr_size_t length = strlen(endpoint);

    while (length > 0 && endpoint[length - 1] == '/') {
        length--;
    }
    return apr_pstrmemdup(pool, endpoint, length);
}

iimg_error_t *iimg_gemini_url(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                              const char *model, const char **url)
{
    const char *problem = endpoint_problem(pool, settings);

    if (problem) {
        return iimg_error_with_detail(
            pool, IIMG_UNAVAILABLE, "provider_down",
            "The image provider's URL is invalid. An operator must correct it.",
            "IdentityImgGeminiEndpoint: %s", problem);
    }
    if (!is_model_name(model)) {
        return iimg_error_with_detail(pool, IIMG_UPSTREAM, "model_retired",
                                      "The name of the image provider's model is invalid.",
                                      "invalid model name \"%.100s\"", model);
    }
    *url = apr_psprintf(pool, "%s/%s/models/%s:generateContent",
                        without_slashes(pool, settings->gemini_endpoint), settings->gemini_version,
                        model);
    return NULL;
}

/* Headers ------------------------------------------------------------------------------------- */

static bool is_header_value(const char *text)
{
    const char *p = text;

    while (*p > 0x20 && *p < 0x7f) {
        p++;
    }
    return p > text && !*p;
}

static void add_line(apr_array_header_t *lines, const char *line)
{
    APR_ARRAY_PUSH(lines, const char *) = line;
}

iimg_error_t *iimg_gemini_headers(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                  const apr_array_header_t **headers)
{
    apr_array_header_t *lines = apr_array_make(pool, 4, sizeof(const char *));
    const char *key = settings->gemini_key;

    if (!key || !is_header_value(key)) {
        return iimg_error_with_detail(
            pool, IIMG_UNAVAILABLE, "provider_key",
            "This server has no key for the image provider. An operator must configure one.", "%s",
            key ? "the key is empty, or has spaces, control or non-ASCII characters"
                : "no key is configured");
    }
    add_line(lines, "Content-Type: application/json");
    add_line(lines, apr_pstrcat(pool, "x-goog-api-key: ", key, NULL));
    /* Without this header a front end of the provider times out after about a minute. */
    add_line(lines, apr_psprintf(pool, "X-Server-Timeout: %d", settings->timeout));
    add_line(lines, "User-Agent: mod_identityimg/" IIMG_VERSION);
    *headers = lines;
    return NULL;
}

/* Body ---------------------------------------------------------------------------------------- */

/* JSON with gaps for the base64 of the references, which is sent from its own memory. */
typedef struct body_t {
    apr_pool_t *pool;
    iimg_json_t *json;
    apr_size_t *cuts;          /* offsets of the gaps in the JSON */
    iimg_http_chunk_t *chunks; /* JSON, base64, JSON, base64, ..., JSON */
    int gaps;                  /* so far */
} body_t;

static bool is_accepted(iimg_format_t format)
{
    return format == IIMG_FORMAT_JPEG || format == IIMG_FORMAT_PNG || format == IIMG_FORMAT_WEBP
           || format == IIMG_FORMAT_HEIC;
}

/* Writes an empty string. The gap is between its quotes. */
static void leave_gap(body_t *body, const char *base64, apr_size_t length)
{
    iimg_json_string(body->json, "");
    body->cuts[body->gaps] = body->json->length - 1;
    body->chunks[2 * body->gaps + 1].data = base64;
    body->chunks[2 * body->gaps + 1].length = length;
    body->gaps++;
}

static iimg_error_t *write_reference(body_t *body, const iimg_generator_reference_t *reference)
{
    const iimg_media_type_t *type = iimg_media_type_sniff(reference->data, reference->length);
    const char *base64 = is_accepted(type->format) ? reference->base64 : NULL;
    apr_size_t length = reference->base64_length;

    if (is_accepted(type->format) && !base64) {
        base64 = apr_pencode_base64_binary(body->pool, (const unsigned char *)reference->data,
                                           (apr_ssize_t)reference->length, APR_ENCODE_NONE,
                                           &length);
    }
    if (!base64) {
        return iimg_error_internal(body->pool,
                                   "reference %d of %" APR_SIZE_T_FMT
                                   " bytes is %s: the provider does not accept it",
                                   body->gaps + 1, reference->length,
                                   type->format == IIMG_FORMAT_UNKNOWN ? "no picture" : type->name);
    }
    iimg_json_object_open(body->json);
    iimg_json_key(body->json, "inlineData");
    iimg_json_object_open(body->json);
    iimg_json_member(body->json, "mimeType", type->media_type);
    iimg_json_key(body->json, "data");
    leave_gap(body, base64, length);
    iimg_json_object_close(body->json);
    iimg_json_object_close(body->json);
    return NULL;
}

static iimg_error_t *write_contents(body_t *body, const iimg_generator_request_t *request)
{
    iimg_json_t *json = body->json;
    iimg_error_t *err;

    iimg_json_key(json, "contents");
    iimg_json_array_open(json);
    iimg_json_object_open(json);
    iimg_json_key(json, "parts");
    iimg_json_array_open(json);
    iimg_json_object_open(json);
    iimg_json_member(json, "text", request->prompt);
    iimg_json_object_close(json);
    for (int i = 0; i < request->reference_count; i++) {
        err = write_reference(body, &request->references[i]);
        if (err) {
            return err;
        }
    }
    iimg_json_array_close(json);
    iimg_json_member(json, "role", "user");
    iimg_json_object_close(json);
    iimg_json_array_close(json);
    return NULL;
}

static void write_config(iimg_json_t *json, const iimg_generator_request_t *request)
{
    iimg_json_key(json, "generationConfig");
    iimg_json_object_open(json);
    iimg_json_key(json, "responseModalities");
    iimg_json_array_open(json);
    iimg_json_string(json, "TEXT");
    iimg_json_string(json, "IMAGE");
    iimg_json_array_close(json);
    iimg_json_key(json, "imageConfig");
    iimg_json_object_open(json);
    iimg_json_member(json, "aspectRatio", request->aspect_ratio);
    iimg_json_member(json, "imageSize", request->resolution);
    iimg_json_object_close(json);
    iimg_json_object_close(json);
}

/* The JSON is complete and moves no more, so the chunks can point into it. */
static apr_size_t fill_chunks(body_t *body)
{
    apr_size_t from = 0, total = body->json->length;

    for (int i = 0; i <= body->gaps; i++) {
        apr_size_t to = i < body->gaps ? body->cuts[i] : body->json->length;

        body->chunks[2 * i].data = body->json->text + from;
        body->chunks[2 * i].length = to - from;
        total += i < body->gaps ? body->chunks[2 * i + 1].length : 0;
        from = to;
    }
    return total;
}

iimg_error_t *iimg_gemini_body(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                               const iimg_generator_request_t *request,
                               const iimg_http_chunk_t **chunks, int *count)
{
    apr_size_t references = (apr_size_t)request->reference_count;
    body_t body = { .pool = pool, .json = iimg_json_create(pool, strlen(request->prompt) + 1024) };
    iimg_error_t *err;

    body.cuts = apr_pcalloc(pool, (references + 1) * sizeof(*body.cuts));
    body.chunks = apr_pcalloc(pool, (2 * references + 1) * sizeof(*body.chunks));
    iimg_json_object_open(body.json);
    err = write_contents(&body, request);
    if (err) {
        return err;
    }
    write_config(body.json, request);
    if (!settings->gemini_store_by_project) {
        iimg_json_key(body.json, "store");
        iimg_json_bool(body.json, false);
    }
    iimg_json_object_close(body.json);
    if (fill_chunks(&body) > IIMG_GEMINI_MAX_REQUEST) {
        return iimg_error_with_code(
            pool, IIMG_UPSTREAM, "provider_request",
            "The reference images together exceed the image provider's limit. Use fewer of them.");
    }
    *chunks = body.chunks;
    *count = 2 * body.gaps + 1;
    return NULL;
}
