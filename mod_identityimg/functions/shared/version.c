/* version.c - compare a row's version with If-Match. */
#include "functions/shared/version.h"

#include <apr_strings.h>
#include "base/entity_tag.h"

static iimg_error_t *check_if_match(iimg_context_t *context, const char *version)
{
    if (iimg_entity_tag_has_version(context->if_match, version)) {
        return NULL;
    }
    return iimg_error(context->pool, IIMG_PRECONDITION,
                      "This row has changed: it has version %s, which If-Match does not name. "
                      "Read it again, then repeat the change.",
                      version);
}

iimg_error_t *iimg_check_version(iimg_context_t *context, int version)
{
    return check_if_match(context, apr_itoa(context->pool, version));
}

const char *iimg_prompt_version(apr_pool_t *pool, const iimg_prompt_t *prompt)
{
    return apr_psprintf(pool, "%d-%s", prompt->version, prompt->is_active ? "on" : "off");
}

iimg_error_t *iimg_check_prompt_version(iimg_context_t *context, const iimg_prompt_t *prompt)
{
    return check_if_match(context, iimg_prompt_version(context->pool, prompt));
}
