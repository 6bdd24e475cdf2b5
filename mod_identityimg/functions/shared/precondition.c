/* precondition.c - changes only of the version that a client has seen. */
#include "functions/shared/shared.h"

#include <apr_strings.h>
#include "base/entity_tag.h"

iimg_error_t *iimg_check_version(iimg_context_t *context, int version)
{
    if (iimg_entity_tag_has_version(context->if_match, apr_itoa(context->pool, version))) {
        return NULL;
    }
    return iimg_error(context->pool, IIMG_PRECONDITION,
                      "This was changed meanwhile: it has version %d, which If-Match does not name. "
                      "Read it again, then repeat the change.", version);
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

iimg_error_t *iimg_expect_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id)
{
    iimg_reference_image_t *image;
    iimg_error_t *err;

    if (!context->if_match) {
        return NULL;
    }
    err = iimg_reference_image_lock(context, user_id, id, &image);
    if (!err && !image) {
        err = iimg_not_found(context);
    }
    return err ? err : iimg_check_version(context, image->version);
}
