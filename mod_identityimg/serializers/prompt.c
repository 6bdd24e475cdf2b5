/* prompt.c - a version of a prompt as JSON. */
#include "base/timestamp.h"
#include "serializers/serializers.h"

void iimg_prompt_serialize(iimg_json_t *out, const iimg_prompt_t *prompt)
{
    const apr_array_header_t *keys = prompt->required_context_keys;

    iimg_json_object_open(out);
    iimg_json_member(out, "id", prompt->id);
    iimg_json_member(out, "prompt_type", prompt->prompt_type);
    iimg_json_key(out, "version");
    iimg_json_integer(out, prompt->version);
    iimg_json_member(out, "body", prompt->body);
    iimg_json_key(out, "is_active");
    iimg_json_bool(out, prompt->is_active);
    iimg_json_key(out, "required_context_keys");
    iimg_json_array_open(out);
    for (int i = 0; i < keys->nelts; i++) {
        iimg_json_string(out, APR_ARRAY_IDX(keys, i, const char *));
    }
    iimg_json_array_close(out);
    iimg_json_member(out, "created_by", prompt->created_by);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, prompt->created_at));
    iimg_json_object_close(out);
}

void iimg_preview_serialize(iimg_json_t *out, const iimg_preview_t *preview)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "prompt", preview->text);
    iimg_json_member(out, "prompt_id", preview->prompt->id);
    iimg_json_key(out, "prompt_version");
    if (preview->prompt->id) {
        iimg_json_integer(out, preview->prompt->version);
    }
    else {
        iimg_json_null(out);
    }
    iimg_json_member(out, "identity", preview->identity->id);
    iimg_json_key(out, "warnings");
    iimg_json_array_open(out);
    if (preview->problem) {
        iimg_json_string(out, preview->problem);
    }
    iimg_json_array_close(out);
    iimg_json_object_close(out);
}
