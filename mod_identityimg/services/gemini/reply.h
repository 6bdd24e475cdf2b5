/* reply.h - what a generateContent response means: a picture, or the error it stands for. */
#ifndef IIMG_SERVICES_GEMINI_REPLY_H
#define IIMG_SERVICES_GEMINI_REPLY_H

#include "base/http/http.h"
#include "services/generator/generator.h"

/**
 * Read a response, whatever became of it. No connection is needed: the response may be made up.
 * @param request  what was asked for; its model is the one in the address
 * @param response its memory is not needed afterwards
 * @param result   allocated from context->pool
 * Errors: as iimg_generator_t.generate lists them.
 */
iimg_error_t *iimg_gemini_reply(iimg_context_t *context, const iimg_generator_settings_t *settings,
                                const iimg_generator_request_t *request,
                                const iimg_http_response_t *response,
                                iimg_generator_result_t **result);

#endif
