/* precondition.c - changes only of the version that a client has seen. */
#include "functions/shared/shared.h"

#include <apr_strings.h>
#include "base/entity_tag.h"

static iimg_error_t *check(iimg_context_t *context, const char *version)
{
    if (iimg_entity_tag_has_version(context->if_match, version)) {
        return NULL;
    }
    return iimg_error(
        context->pool, IIMG_PRECONDITION,
        "This was changed meanwhile: it has version %s, which If-Match does not name. "
        "Read it again, then repeat the change.",
        version);
}

iimg_error_t *iimg_check_version(iimg_context_t *context, int version)
{
    return check(context, apr_itoa(context->pool, version));
}

const char *iimg_prompt_state(apr_pool_t *pool, const iimg_prompt_t *prompt)
{
    return apr_psprintf(pool, "%d-%s", prompt->version, prompt->is_active ? "on" : "off");
}

iimg_error_t *iimg_check_prompt_state(iimg_context_t *context, const iimg_prompt_t *prompt)
{
    return check(context, iimg_prompt_state(context->pool, prompt));
}

iimg_error_t *iimg_lock_identity(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity)
{
    iimg_error_t *err = iimg_identity_lock(context, id, identity);

    if (!err) {
        err = iimg_check_identity_owner(context, *identity);
    }
    return err ? err : iimg_check_version(context, (*identity)->version);
}

iimg_error_t *iimg_lock_reference_image(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image)
{
    iimg_error_t *err = iimg_reference_image_lock(context, user_id, id, image);

    if (!err && !*image) {
        err = iimg_not_found(context);
    }
    return err ? err : iimg_check_version(context, (*image)->version);
}

iimg_error_t *iimg_expect_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id)
{
    iimg_reference_image_t *image;

    return context->if_match ? iimg_lock_reference_image(context, user_id, id, &image) : NULL;
}
