/* reply.h - reads a generateContent response: a picture, or an error. */
#ifndef IIMG_SERVICES_GEMINI_REPLY_H
#define IIMG_SERVICES_GEMINI_REPLY_H

#include "base/http/http.h"
#include "services/generator/generator.h"

/**
 * Read a response, also a failed one.
 * @param request  that was sent, with the model in its URL
 * @param response may be freed afterwards
 * @param result   allocated from context->pool; may be set on failure, without a picture
 * Errors: as iimg_generator_t.generate.
 */
iimg_error_t *iimg_gemini_reply(iimg_context_t *context, const iimg_generator_settings_t *settings,
                                const iimg_generator_request_t *request,
                                const iimg_http_response_t *response,
                                iimg_generator_result_t **result);

#endif
