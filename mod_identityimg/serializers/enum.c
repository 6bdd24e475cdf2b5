/* enum.c - allowed values as JSON: each with a label to show. */
#include <apr_strings.h>
#include "serializers/serializers.h"

static const char *label_of(apr_pool_t *pool, const char *value)
{
    char *label = apr_pstrdup(pool, value);

    for (char *p = label; *p; p++) {
        *p = *p == '_' ? ' ' : *p;
    }
    return label;
}

void iimg_enum_serialize(iimg_json_t *out, const char *const *values)
{
    iimg_json_array_open(out);
    for (int i = 0; values[i]; i++) {
        iimg_json_object_open(out);
        iimg_json_member(out, "value", values[i]);
        iimg_json_member(out, "label", label_of(out->pool, values[i]));
        iimg_json_object_close(out);
    }
    iimg_json_array_close(out);
}
