/* core.c - list the values that members of other resources may have. */
#include "views/views.h"

#include "functions/public/public.h"
#include "serializers/serializers.h"
#include "server/http/response.h"
#include "services/generator/generator.h"

static const struct {
    const char *name;
    const char *const *values; /* NULL: those of all identities */
} enums[] = {
    { "prompt_types", iimg_prompt_types }, { "context_keys", iimg_context_keys },
    { "identity_categories", NULL },       { "aspect_ratios", iimg_aspect_ratios },
    { "resolutions", iimg_resolutions },   { "job_states", iimg_generation_job_states },
};

iimg_error_t *iimg_view_core_enums(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *categories;
    iimg_error_t *err = iimg_list_identity_categories(req->context, &categories);

    if (err) {
        return err;
    }
    APR_ARRAY_PUSH(categories, const char *) = NULL;
    out = iimg_respond_begin(req, 4096);
    iimg_json_object_open(out);
    for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++) {
        iimg_json_key(out, enums[i].name);
        iimg_enum_serialize(out, enums[i].values ? enums[i].values
                                                 : (const char *const *)categories->elts);
    }
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}
