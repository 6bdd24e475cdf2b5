/* request.h - what goes to Gemini's generateContent: address, headers, JSON body. */
#ifndef IIMG_SERVICES_GEMINI_REQUEST_H
#define IIMG_SERVICES_GEMINI_REQUEST_H

#include <stdbool.h>
#include "base/error.h"
#include "base/http/http.h"
#include "services/generator/generator.h"

/** Most bytes of a request's body: Google's oldest limit, which every front end still takes. */
#define IIMG_GEMINI_MAX_REQUEST (20 * 1024 * 1024)

/**
 * The address to post to: {endpoint}/{version}/models/{model}:generateContent.
 * Errors: IIMG_UNAVAILABLE, code provider_down: the endpoint is no https URL (http is good enough
 * for loopback, or when the settings allow it), or holds credentials or a query; IIMG_UPSTREAM,
 * code model_retired: the model's name cannot be one.
 */
iimg_error_t *iimg_gemini_url(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                              const char *model, const char **url);

/**
 * Header lines ("Name: value"), the key among them.
 * Errors: IIMG_UNAVAILABLE, code provider_key: there is no key, or it has characters no header
 * takes.
 */
iimg_error_t *iimg_gemini_headers(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                  const apr_array_header_t **headers);

/**
 * The body, in pieces to be sent one after the other: JSON, and the references as base64 between.
 * Text first, then the references in their order, each labelled by its own first bytes. Unless the
 * settings leave that to the project, it asks Google not to store the request.
 * @param chunks, count the pieces, allocated from pool
 * Errors: IIMG_INTERNAL: a reference is of a kind the provider does not take; IIMG_UPSTREAM, code
 * provider_request: the body is over IIMG_GEMINI_MAX_REQUEST.
 */
iimg_error_t *iimg_gemini_body(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                               const iimg_generator_request_t *request,
                               const iimg_http_chunk_t **chunks, int *count);

#endif
