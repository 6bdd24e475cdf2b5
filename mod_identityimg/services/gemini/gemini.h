/* gemini.h - one generation at Gemini as steps that never block; the caller sends and sleeps. */
#ifndef IIMG_SERVICES_GEMINI_GEMINI_H
#define IIMG_SERVICES_GEMINI_GEMINI_H

#include "base/http/http.h"
#include "services/generator/generator.h"
#include "services/generator/retry.h"

/**
 * A running generation. It belongs to one thread at a time. The caller runs its steps:
 *
 *     iimg_gemini_begin
 *     do {
 *         iimg_gemini_prepare, send the request, iimg_gemini_finish
 *     } while (it failed and iimg_gemini_again, after the wait)
 *     iimg_gemini_end
 *
 * services/gemini/generator.c runs them in one thread, for tools. server/jobs/task.c runs them in
 * an event loop that holds thousands of generations.
 */
typedef struct iimg_gemini_t {
    const iimg_generator_settings_t *settings;
    iimg_generator_request_t request; /* with the model of the next call */
    iimg_retry_t retry;
    apr_array_header_t *warnings; /* const char *: sentences for staff */
    bool reported_to_breaker;     /* the breaker waits for the result of the current call */
} iimg_gemini_t;

/** Begin. Results live in context->pool; settings and the texts of request must live as long. */
void iimg_gemini_begin(iimg_context_t *context, iimg_gemini_t *generation,
                       const iimg_generator_settings_t *settings,
                       const iimg_generator_request_t *request, apr_time_t now);

/**
 * Build the request of the next call.
 * @param pool owns the request and the spool of its response; may end after iimg_gemini_finish
 * Errors, allocated from context->pool: as iimg_gemini_url, iimg_gemini_headers and
 * iimg_gemini_body; IIMG_UNAVAILABLE code provider_busy or provider_key with retry_after when the
 * circuit breaker is open; code spool_down.
 */
iimg_error_t *iimg_gemini_prepare(iimg_context_t *context, apr_pool_t *pool,
                                  iimg_gemini_t *generation, apr_time_t now,
                                  iimg_http_request_t *http);

/**
 * Read the response of a call, and report the provider's state to the circuit breaker.
 * @param result allocated from context->pool; see iimg_generator_t.generate
 * Errors: as iimg_generator_t.generate.
 */
iimg_error_t *iimg_gemini_finish(iimg_context_t *context, iimg_gemini_t *generation,
                                 const iimg_http_response_t *response, apr_time_t now,
                                 iimg_generator_result_t **result);

/**
 * Decide whether a failed call is repeated, with the same model or with the fallback model.
 * @param wait until the next call
 */
bool iimg_gemini_again(iimg_context_t *context, iimg_gemini_t *generation, const iimg_error_t *err,
                       apr_time_t now, apr_interval_time_t *wait);

/** Add the generation's warnings to the result; create a result if no call had one. */
void iimg_gemini_end(iimg_context_t *context, iimg_gemini_t *generation,
                     iimg_generator_result_t **result);

/** The generator "gemini", whose steps are the functions above. */
extern const iimg_generator_t iimg_generator_gemini;

#endif
