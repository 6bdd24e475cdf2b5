/* generator.c - the generator "gemini": blocking, for tools, and as steps, for the event loop. */
#include "services/gemini/gemini.h"

#include "base/http/http.h"
#include "base/log.h"

static iimg_http_response_t *send_timed(iimg_context_t *context, apr_pool_t *pool,
                                        const iimg_http_request_t *http, const char *model)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_http_response_t *response = iimg_http_send(context, pool, http);

    iimg_step_end(context, began, "provider", model);
    return response;
}

static iimg_error_t *call_once(iimg_context_t *context, iimg_gemini_t *generation,
                               iimg_generator_result_t **result)
{
    iimg_http_request_t http;
    apr_pool_t *pool; /* of one call: its tens of megabytes are freed with it */
    iimg_error_t *err;

    *result = NULL;
    apr_pool_create(&pool, context->pool);
    apr_pool_tag(pool, "gemini");
    err = iimg_gemini_prepare(context, pool, generation, apr_time_now(), &http);
    if (!err) {
        err = iimg_gemini_finish(context, generation,
                                 send_timed(context, pool, &http, generation->request.model),
                                 apr_time_now(), result);
    }
    apr_pool_destroy(pool);
    return err;
}

static iimg_error_t *generate(iimg_context_t *context, const iimg_generator_settings_t *settings,
                              const iimg_generator_request_t *request,
                              iimg_generator_result_t **result)
{
    apr_interval_time_t wait;
    iimg_gemini_t generation;
    iimg_error_t *err;

    iimg_gemini_begin(context, &generation, settings, request, apr_time_now());
    err = call_once(context, &generation, result);
    while (err && iimg_gemini_again(context, &generation, err, apr_time_now(), &wait)) {
        apr_sleep(wait);
        err = call_once(context, &generation, result);
    }
    iimg_gemini_end(context, &generation, result);
    return err;
}

/* The steps ----------------------------------------------------------------------------------- */

static void *begin(iimg_context_t *context, const iimg_generator_settings_t *settings,
                   const iimg_generator_request_t *request, apr_time_t now)
{
    iimg_gemini_t *generation = apr_palloc(context->pool, sizeof(*generation));

    iimg_gemini_begin(context, generation, settings, request, now);
    return generation;
}

static iimg_error_t *prepare(iimg_context_t *context, apr_pool_t *pool, void *generation,
                             apr_time_t now, iimg_http_request_t *http)
{
    return iimg_gemini_prepare(context, pool, generation, now, http);
}

static iimg_error_t *finish(iimg_context_t *context, void *generation,
                            const iimg_http_response_t *response, apr_time_t now,
                            iimg_generator_result_t **result)
{
    return iimg_gemini_finish(context, generation, response, now, result);
}

static bool again(iimg_context_t *context, void *generation, const iimg_error_t *err,
                  apr_time_t now, apr_interval_time_t *wait)
{
    return iimg_gemini_again(context, generation, err, now, wait);
}

static void end(iimg_context_t *context, void *generation, iimg_generator_result_t **result)
{
    iimg_gemini_end(context, generation, result);
}

static const iimg_generator_steps_t steps = { begin, prepare, finish, again, end };

const iimg_generator_t iimg_generator_gemini = {
    .name = "gemini",
    .billed = true,
    .generate = generate,
    .steps = &steps,
};
