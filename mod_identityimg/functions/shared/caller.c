/* caller.c - accept or refuse the user who sent a request. */
#include "functions/shared/caller.h"

#include <string.h>
#include "functions/shared/unauthenticated.h"

iimg_error_t *iimg_accept_caller(iimg_context_t *context, const iimg_caller_t *caller,
                                 iimg_role_t role)
{
    if (!context->login) {
        return iimg_unauthenticated(context, IIMG_NO_CREDENTIALS);
    }
    if (!caller || !caller->is_active) {
        return iimg_unauthenticated(context, IIMG_INACTIVE_USER);
    }
    if (!caller->credentials_hold) {
        return iimg_unauthenticated(context, context->login_token ? IIMG_INVALID_TOKEN
                                                                  : IIMG_WRONG_PASSWORD);
    }
    context->caller = caller;
    if (role == IIMG_STAFF && !caller->is_staff) {
        return iimg_error_with_code(context->pool, IIMG_FORBIDDEN, "permission_denied",
                                    "You do not have permission to perform this action.");
    }
    return NULL;
}

iimg_error_t *iimg_identify_caller(iimg_context_t *context, iimg_role_t role)
{
    const iimg_caller_t *caller = NULL;
    iimg_error_t *err;

    if (context->login) {
        err = iimg_caller_by_login(context, &caller);
        if (err) {
            return err;
        }
    }
    return iimg_accept_caller(context, caller, role);
}

iimg_error_t *iimg_identify_caller_for(iimg_context_t *context, const char *owner)
{
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (err || strcmp(context->caller->id, owner) == 0) {
        return err;
    }
    return iimg_accept_caller(context, context->caller, IIMG_STAFF);
}
