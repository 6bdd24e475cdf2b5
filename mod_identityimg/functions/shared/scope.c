/* scope.c - whose photos and identities a request is about. */
#include "functions/shared/shared.h"

#include <string.h>

iimg_error_t *iimg_scope_owner(iimg_context_t *context, const iimg_scope_t *scope,
                               const char **owner)
{
    *owner = context->caller->id;
    if (!context->caller->is_staff) {
        return NULL;
    }
    if (scope->problem) {
        return scope->problem;
    }
    if (scope->user_id) {
        *owner = scope->user_id;
    }
    return NULL;
}

iimg_error_t *iimg_get_reference_image(iimg_context_t *context, const iimg_scope_t *scope,
                                       const char *id, iimg_reference_image_t **image)
{
    const iimg_caller_t *caller;
    const char *owner;
    iimg_error_t *err = iimg_reference_image_by_id(context, scope->user_id, id, &caller, image);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_USER);
    }
    if (!err) {
        err = iimg_scope_owner(context, scope, &owner);
    }
    if (!err && !*image) {
        err = iimg_not_found(context);
    }
    return err;
}

iimg_error_t *iimg_check_identity_owner(iimg_context_t *context, const iimg_identity_t *identity)
{
    bool may = identity && (context->caller->is_staff
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
                                    IIMG_REFERENCE_IMAGE_SLOTS - 1), "order"), "order_range");
}
