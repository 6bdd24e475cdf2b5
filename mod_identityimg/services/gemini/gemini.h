/* gemini.h - one generation at Gemini as steps, none of which waits: whoever runs them sends and
 * sleeps. */
#ifndef IIMG_SERVICES_GEMINI_GEMINI_H
#define IIMG_SERVICES_GEMINI_GEMINI_H

#include "base/http/http.h"
#include "services/generator/generator.h"
#include "services/generator/retry.h"

/**
 * A generation under way. Its steps, in their order:
 *
 *     begin; prepare, (send), finish; when that failed: again, (wait), prepare, (send), finish;
 * ...; end
 */
typedef struct iimg_gemini_t {
    const iimg_generator_settings_t *settings;
    iimg_generator_request_t request; /* its model is the one that is asked now */
    iimg_tries_t tries;
    apr_array_header_t *warnings; /* const char *: for the admin */
    bool asked;                   /* the breaker let the call through that is under way */
} iimg_gemini_t;

/** Begin. @param pool what the generation says at its end lives there; request must as well */
void iimg_gemini_begin(iimg_context_t *context, iimg_gemini_t *it,
                       const iimg_generator_settings_t *settings,
                       const iimg_generator_request_t *request, apr_time_t now);

/**
 * Build the next call.
 * @param pool owns what the call needs, the spool of its response too; what finish makes does not
 *             need it
 * Errors: as iimg_gemini_url, iimg_gemini_headers and iimg_gemini_body; IIMG_UNAVAILABLE, code
 * provider_busy or provider_key: the provider is left alone for now, with the time to wait;
 * spool_down. They live in context->pool.
 */
iimg_error_t *iimg_gemini_prepare(iimg_context_t *context, apr_pool_t *pool, iimg_gemini_t *it,
                                  apr_time_t now, iimg_http_request_t *http);

/**
 * Read what came of the call, and remember how the provider is.
 * @param result as in iimg_generator_t.generate; lives in context->pool, not with the response
 * Errors: as iimg_generator_t.generate lists them.
 */
iimg_error_t *iimg_gemini_finish(iimg_context_t *context, iimg_gemini_t *it,
                                 const iimg_http_response_t *response, apr_time_t now,
                                 iimg_generator_result_t **result);

/**
 * Whether another call may do better than the one that ended with this error - or the same call to
 * the fallback model, which then stands in it->request.
 * @param wait until then
 */
bool iimg_gemini_again(iimg_context_t *context, iimg_gemini_t *it, const iimg_error_t *err,
                       apr_time_t now, apr_interval_time_t *wait);

/** Add what the whole has to say to the last call's result, which is made if there is none. */
void iimg_gemini_end(iimg_context_t *context, iimg_gemini_t *it, iimg_generator_result_t **result);

/** The generator "gemini", whose steps are the functions above. */
extern const iimg_generator_t iimg_generator_gemini;

#endif
