/* scope.c - whose photos and identities a request is about. */
#include "functions/shared/shared.h"

#include <string.h>

iimg_error_t *iimg_check_scope(iimg_context_t *context, const iimg_scope_t *scope)
{
    return context->caller->is_staff ? scope->problem : NULL;
}

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

iimg_error_t *iimg_check_identity_owner(iimg_context_t *context, const iimg_identity_t *identity)
{
    bool may = identity
               && (context->caller->is_staff
                   || strcmp(identity->user_id, context->caller->id) == 0);

    return may ? NULL : iimg_not_found(context);
}

iimg_error_t *iimg_check_order(iimg_context_t *context, long long order)
{
    if (order >= 0 && order < IIMG_REFERENCE_IMAGE_SLOTS) {
        return NULL;
    }
    return iimg_error_code(
        iimg_error_field(iimg_error(context->pool, IIMG_INVALID, "Order must be between 0 and %d",
                                    IIMG_REFERENCE_IMAGE_SLOTS - 1),
                         "order"),
        "order_range");
}
