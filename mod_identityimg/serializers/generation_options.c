/* generation_options.c - what can be asked for, as JSON. */
#include "serializers/serializers.h"

#include <string.h>

static void open_choice(iimg_json_t *out, const char *value, const char *preferred)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "value", value);
    iimg_json_member(out, "label", value);
    iimg_json_key(out, "is_default");
    iimg_json_bool(out, strcmp(value, preferred) == 0);
}

void iimg_choices_serialize(iimg_json_t *out, const char *const *values, const char *preferred)
{
    iimg_json_array_open(out);
    for (int i = 0; values[i]; i++) {
        open_choice(out, values[i], preferred);
        iimg_json_object_close(out);
    }
    iimg_json_array_close(out);
}

void iimg_model_options_serialize(iimg_json_t *out, const apr_array_header_t *options,
                                  const iimg_services_t *services)
{
    iimg_json_array_open(out);
    for (int i = 0; i < options->nelts; i++) {
        const iimg_model_option_t *option = &APR_ARRAY_IDX(options, i, iimg_model_option_t);

        open_choice(out, option->value, services->model);
        iimg_json_key(out, "aspect_ratios");
        iimg_choices_serialize(out, option->takes->aspect_ratios,
                               iimg_gemini_model_ratio(option->takes, services->aspect_ratio));
        iimg_json_key(out, "resolutions");
        iimg_resolution_options_serialize(
            out, option->resolutions,
            iimg_gemini_model_resolution(option->takes, services->resolution));
        iimg_json_key(out, "max_reference_images");
        iimg_json_integer(out, option->takes->max_references);
        iimg_json_object_close(out);
    }
    iimg_json_array_close(out);
}

void iimg_resolution_options_serialize(iimg_json_t *out, const apr_array_header_t *options,
                                       const char *preferred)
{
    iimg_json_array_open(out);
    for (int i = 0; i < options->nelts; i++) {
        const iimg_resolution_option_t *option = &APR_ARRAY_IDX(options, i,
                                                                iimg_resolution_option_t);

        open_choice(out, option->value, preferred);
        iimg_json_key(out, "price");
        iimg_json_raw(out, option->price);
        iimg_json_key(out, "median_seconds");
        iimg_json_raw(out, option->median_seconds);
        iimg_json_object_close(out);
    }
    iimg_json_array_close(out);
}
