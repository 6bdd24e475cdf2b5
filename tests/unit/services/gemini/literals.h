/* literals.h - settings, a request, pictures and responses for the tests of services/gemini. */
#ifndef IIMG_TEST_GEMINI_LITERALS_H
#define IIMG_TEST_GEMINI_LITERALS_H

#include <string.h>
#include "services/gemini/reply.h"
#include "services/gemini/stream.h"
#include "tap.h"
#include "work.h"

#define KEY   "AQ.secret-key-0123"
#define MODEL "gemini-3-pro-image"

/* Headers of pictures, of 1376 x 768 pixels, and a draft of 512 x 512. The rest is not read. */
#define PNG         "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\x60\0\0\x03\0\x08\2\0\0\0"
#define DRAFT       "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0\x08\2\0\0\0"
#define JPEG        "\xff\xd8\xff\xc0\0\x11\x08\x03\0\x05\x60\3\1\x22\0\2\x11\1\3\x11\1"
#define WEBP        "RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x5f\x05\0\xff\x02\0"
#define PNG64       "iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAA="
#define PNG64_WHOLE "iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAAA" /* no end */
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
    { PNG, sizeof(PNG) - 1, "image/jpeg" }, /* a wrong label */
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
#define RETRY_INFO(delay) \
    "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" delay "\"}"

static inline bool holds(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* @param step bytes of a piece */
static inline iimg_gemini_stream_t *feed_stream(apr_pool_t *pool, const char *dir, const char *body,
                                                apr_size_t step)
{
    iimg_gemini_stream_t *stream = iimg_gemini_stream_create(pool, dir);
    apr_size_t length = strlen(body);

    for (apr_size_t at = 0; at < length; at += step) {
        apr_size_t n = step < length - at ? step : length - at;

        iimg_gemini_stream_feed(stream, apr_pmemdup(pool, body + at, n), n);
    }
    return stream;
}

#endif
