/* request.h - builds a request to Gemini's generateContent: URL, headers and JSON body. */
#ifndef IIMG_SERVICES_GEMINI_REQUEST_H
#define IIMG_SERVICES_GEMINI_REQUEST_H

#include <stdbool.h>
#include "base/error.h"
#include "base/http/http.h"
#include "services/generator/generator.h"

/** Most bytes of a request's body: the limit that all of Google's front ends accept. */
#define IIMG_GEMINI_MAX_REQUEST (20 * 1024 * 1024)

/**
 * Build the URL: {endpoint}/{version}/models/{model}:generateContent.
 * Errors: IIMG_UNAVAILABLE code provider_down: the endpoint has a query or credentials, or is not
 * https (http is allowed for loopback and by settings->allow_http); IIMG_UPSTREAM code
 * model_retired: the model's name has invalid characters.
 */
iimg_error_t *iimg_gemini_url(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                              const char *model, const char **url);

/**
 * Build the header lines ("Name: value"), including the key.
 * Errors: IIMG_UNAVAILABLE code provider_key: there is no key, or it is not valid in a header.
 */
iimg_error_t *iimg_gemini_headers(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                  const apr_array_header_t **headers);

/**
 * Build the body as chunks: JSON with the base64 of the references in between. The prompt comes
 * first, then the references in order, each with the media type of its first bytes. The body asks
 * Google not to store the request, unless settings->gemini_store_by_project.
 * @param chunks, count allocated from pool; base64 is not copied
 * Errors: IIMG_INTERNAL: the provider does not accept the kind of a reference; IIMG_UPSTREAM code
 * provider_request: the body is larger than IIMG_GEMINI_MAX_REQUEST.
 */
iimg_error_t *iimg_gemini_body(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                               const iimg_generator_request_t *request,
                               const iimg_http_chunk_t **chunks, int *count);

#endif
