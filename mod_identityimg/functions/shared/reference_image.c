/* reference_image.c - read, lock and check one photo. */
#include "functions/shared/reference_image.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/scope.h"
#include "functions/shared/version.h"

iimg_error_t *iimg_get_reference_image(iimg_context_t *context, const iimg_scope_t *scope,
                                       const char *id, iimg_reference_image_t **image)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_reference_image_by_id(context, scope->user_id, id, &caller, image);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_USER);
    if (err) {
        return err;
    }
    err = iimg_check_scope(context, scope);
    if (err) {
        return err;
    }
    return *image ? NULL : iimg_not_found(context);
}

iimg_error_t *iimg_lock_reference_image(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image)
{
    iimg_error_t *err = iimg_reference_image_lock(context, user_id, id, image);

    if (err) {
        return err;
    }
    if (!*image) {
        return iimg_not_found(context);
    }
    return iimg_check_version(context, (*image)->version);
}

iimg_error_t *iimg_lock_reference_image_if_match(iimg_context_t *context, const char *user_id,
                                                 const char *id)
{
    iimg_reference_image_t *image;

    return context->if_match ? iimg_lock_reference_image(context, user_id, id, &image) : NULL;
}

iimg_error_t *iimg_check_reference_image_order(iimg_context_t *context, long long order)
{
    if (order >= 0 && order < IIMG_REFERENCE_IMAGE_SLOTS) {
        return NULL;
    }
    return iimg_error_invalid_field(context->pool, "order", "order_range",
                                    "Order must be between 0 and %d",
                                    IIMG_REFERENCE_IMAGE_SLOTS - 1);
}
