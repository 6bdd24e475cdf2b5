/* generator_gemini.c - the generator that asks Google's Gemini API, once, and waits. */
#include "services/generator.h"

#include <strings.h>
#include <apr_strings.h>
#include "base/http.h"
#include "base/log.h"
#include "services/gemini_reply.h"
#include "services/gemini_request.h"

static iimg_error_t *fill_http(apr_pool_t *pool, const iimg_generator_settings_t *settings,
                               const iimg_generator_request_t *request, iimg_http_request_t *http)
{
    iimg_error_t *err;

    http->method = "POST";
    http->proxy = settings->proxy;
    http->connect_timeout = settings->connect_timeout;
    http->timeout = settings->timeout;
    http->max_response = settings->max_response;
    err = iimg_gemini_url(pool, settings, request->model, &http->url);
    if (err) {
        return err;
    }
    http->allow_http = strncasecmp(http->url, "http:", 5) == 0;
    err = iimg_gemini_headers(pool, settings, &http->headers);
    if (err) {
        return err;
    }
    return iimg_gemini_body(pool, request, &http->body, &http->body_chunks);
}

static iimg_http_response_t *send_timed(iimg_context_t *context, apr_pool_t *pool,
                                        const iimg_http_request_t *http, const char *model)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_http_response_t *response = iimg_http_send(context, pool, http);

    iimg_step_end(context, began, "provider", model);
    return response;
}

static iimg_error_t *call_model(iimg_context_t *context, const iimg_generator_settings_t *settings,
                                const iimg_generator_request_t *request,
                                iimg_generator_result_t **result)
{
    iimg_http_request_t http = { 0 };
    apr_pool_t *pool;           /* both bodies: tens of megabytes that end with the call */
    iimg_error_t *err;

    apr_pool_create(&pool, context->pool);
    apr_pool_tag(pool, "gemini");
    err = fill_http(pool, settings, request, &http);
    if (err) {
        return err;             /* it lives in this pool, which therefore stays */
    }
    err = iimg_gemini_reply(context, settings, request,
                            send_timed(context, pool, &http, request->model), result);
    apr_pool_destroy(pool);
    return err;
}

static void warn_of_alias(iimg_context_t *context, const char *retired, const char *living,
                          iimg_generator_result_t *result)
{
    const char *warning = apr_psprintf(context->pool,
                                       "The model %s was shut down; %s was used instead.",
                                       retired, living);

    APR_ARRAY_PUSH(result->warnings, const char *) = warning;
}

static iimg_error_t *generate(iimg_context_t *context, const iimg_generator_settings_t *settings,
                              const iimg_generator_request_t *request,
                              iimg_generator_result_t **result)
{
    iimg_generator_request_t meant = *request;
    iimg_error_t *err;
    bool alias;

    meant.model = iimg_gemini_model(request->model, &alias);
    if (alias) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0040: the model %s was shut down, %s is asked "
                 "instead", request->model, meant.model);
    }
    err = call_model(context, settings, &meant, result);
    if (!err && alias) {
        warn_of_alias(context, request->model, meant.model, *result);
    }
    return err;
}

const iimg_generator_t iimg_generator_gemini = {
    .name = "gemini",
    .billed = true,
    .generate = generate,
};
