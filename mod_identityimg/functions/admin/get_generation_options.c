/* get_generation_options.c - list models and resolutions with price and usual time. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "services/generation_price.h"

static void add_resolution(iimg_context_t *context, apr_array_header_t *options, const char *model,
                           const char *resolution)
{
    APR_ARRAY_PUSH(options, iimg_resolution_option_t) = (iimg_resolution_option_t){
        resolution, iimg_generation_price(context->services, model, resolution), NULL
    };
}

/* @param models, resolutions get one element for each resolution of each model */
static apr_array_header_t *list_models(iimg_context_t *context, apr_array_header_t *models,
                                       apr_array_header_t *resolutions)
{
    const char *const *names = context->services->offered_models;
    apr_array_header_t *options = apr_array_make(context->pool, 4, sizeof(iimg_model_option_t));

    for (int i = 0; names[i]; i++) {
        const iimg_gemini_model_t *takes = iimg_gemini_model_row(names[i]);
        iimg_model_option_t *option = apr_array_push(options);

        *option = (iimg_model_option_t){
            names[i], takes, apr_array_make(context->pool, 4, sizeof(iimg_resolution_option_t))
        };
        for (int k = 0; takes->resolutions[k]; k++) {
            add_resolution(context, option->resolutions, names[i], takes->resolutions[k]);
            APR_ARRAY_PUSH(models, const char *) = names[i];
            APR_ARRAY_PUSH(resolutions, const char *) = takes->resolutions[k];
        }
    }
    return options;
}

/* @param seconds const char *, in the order of the models and their resolutions */
static void set_medians(const apr_array_header_t *options, const apr_array_header_t *seconds)
{
    int next = 0;

    for (int i = 0; i < options->nelts; i++) {
        apr_array_header_t *resolutions = APR_ARRAY_IDX(options, i, iimg_model_option_t)
                                              .resolutions;

        for (int k = 0; k < resolutions->nelts && next < seconds->nelts; k++) {
            APR_ARRAY_IDX(resolutions, k, iimg_resolution_option_t).median_seconds = APR_ARRAY_IDX(
                seconds, next++, const char *);
        }
    }
}

iimg_error_t *iimg_get_generation_options(iimg_context_t *context, apr_array_header_t **options)
{
    apr_array_header_t *models = apr_array_make(context->pool, 12, sizeof(const char *));
    apr_array_header_t *resolutions = apr_array_make(context->pool, 12, sizeof(const char *));
    apr_array_header_t *seconds;
    const iimg_caller_t *caller;
    iimg_error_t *err;

    *options = list_models(context, models, resolutions);
    err = iimg_generation_job_medians(context, context->services->generator, models, resolutions,
                                      &caller, &seconds);
    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    set_medians(*options, seconds);
    return NULL;
}
