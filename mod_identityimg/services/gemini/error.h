/* error.h - maps failed calls to Gemini to errors: no response, or an error response. */
#ifndef IIMG_SERVICES_GEMINI_ERROR_H
#define IIMG_SERVICES_GEMINI_ERROR_H

#include <jansson.h>
#include "base/error.h"
#include "base/http/http.h"
#include "services/generator/generator.h"

/** The longest Retry-After, in seconds, that is passed on from a provider. */
#define IIMG_GEMINI_MAX_RETRY_AFTER 3600

/**
 * Make untrusted text fit for the log: at most 500 bytes of whole characters, no control
 * characters, and "[key]" in place of the key.
 * @param key may be NULL
 */
const char *iimg_gemini_quote(apr_pool_t *pool, const char *text, apr_size_t length,
                              const char *key);

/**
 * Find a member of a response's object by its camelCase name, or else by its snake_case name.
 * @param object may be NULL or no object
 * @return NULL if the member is absent or null
 */
json_t *iimg_gemini_member(const json_t *object, const char *camel);

/** Find a text in the same way. @return NULL if it is absent, empty or no string */
const char *iimg_gemini_text(const json_t *object, const char *camel);

/**
 * Make the error for a failed call. The provider's own words are only in its detail.
 * @param model    the requested one, which the sentence for a 404 names
 * @param response failed: without a response, with a status other than 200, or with 200 and an
 * error object
 */
iimg_error_t *iimg_gemini_error(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                const char *model, const iimg_http_response_t *response);

#endif
