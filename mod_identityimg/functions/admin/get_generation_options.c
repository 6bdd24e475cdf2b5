/* get_generation_options.c - what can be asked for, what it costs, and how long it takes. */
#include "functions/admin/admin.h"

#include "services/gemini_request.h"
#include "services/generation_price.h"

static apr_array_header_t *all_resolutions(apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));

    for (int i = 0; iimg_resolutions[i]; i++) {
        APR_ARRAY_PUSH(list, const char *) = iimg_resolutions[i];
    }
    return list;
}

iimg_error_t *iimg_get_generation_options(iimg_context_t *context, apr_array_header_t **options)
{
    const iimg_services_t *services = context->services;
    apr_array_header_t *resolutions = all_resolutions(context->pool), *seconds;
    const iimg_caller_t *caller;
    bool alias;
    iimg_error_t *err = iimg_generation_job_medians(context, services->generator->name,
                                                    iimg_gemini_model(services->model, &alias),
                                                    resolutions, &caller,
                                                    &seconds);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_STAFF);
    }
    if (err) {
        return err;
    }
    *options = apr_array_make(context->pool, resolutions->nelts, sizeof(iimg_resolution_option_t));
    for (int i = 0; i < resolutions->nelts; i++) {
        const char *resolution = APR_ARRAY_IDX(resolutions, i, const char *);

        APR_ARRAY_PUSH(*options, iimg_resolution_option_t) = (iimg_resolution_option_t){
            resolution, iimg_generation_price(services, services->model, resolution),
            APR_ARRAY_IDX(seconds, i, const char *)
        };
    }
    return NULL;
}
