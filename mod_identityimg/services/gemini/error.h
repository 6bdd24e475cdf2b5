/* error.h - failed calls to Gemini as errors of ours: no response, or one that says no. */
#ifndef IIMG_SERVICES_GEMINI_ERROR_H
#define IIMG_SERVICES_GEMINI_ERROR_H

#include <jansson.h>
#include "base/error.h"
#include "base/http/http.h"
#include "services/generator/generator.h"

/** Longest wait, in seconds, that a provider can make us announce. */
#define IIMG_GEMINI_MAX_RETRY_AFTER 3600

/**
 * A stranger's text as our log takes it: at most 500 bytes of whole characters, no control
 * characters, and "[key]" wherever it repeats the key.
 * @param key may be NULL
 */
const char *iimg_gemini_quote(apr_pool_t *pool, const char *text, apr_size_t length,
                              const char *key);

/**
 * A member of a reply's object by its camelCase name; its snake_case name serves as well.
 * @return NULL when there is none, when it is null, or when object is NULL or no object
 */
json_t *iimg_gemini_member(const json_t *object, const char *camel);

/** The same for a text. @return NULL when it is absent, empty or no string */
const char *iimg_gemini_text(const json_t *object, const char *camel);

/**
 * The error that a failed call means; what the provider said is in its detail only.
 * @param model    what was asked for, named in the sentence of a 404
 * @param response any but a picture: no outcome, another status than 200, or a 200 whose body is
 *                 an error object
 */
iimg_error_t *iimg_gemini_error(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                                const char *model, const iimg_http_response_t *response);

#endif
