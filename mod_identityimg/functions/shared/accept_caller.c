/* accept_caller.c - who calls, and whether he may. */
#include "functions/shared/shared.h"

#include <string.h>

static iimg_error_t *unauthenticated(iimg_context_t *context, const char *sentence,
                                     const char *code)
{
    return iimg_error_code(iimg_error(context->pool, IIMG_UNAUTHENTICATED, "%s", sentence), code);
}

iimg_error_t *iimg_wrong_password(iimg_context_t *context)
{
    return unauthenticated(context, "Invalid username/password.", "authentication_failed");
}

iimg_error_t *iimg_invalid_token(iimg_context_t *context)
{
    return unauthenticated(context, "Invalid token.", "invalid_token");
}

iimg_error_t *iimg_inactive_user(iimg_context_t *context)
{
    return unauthenticated(context, "User inactive or deleted.", "user_inactive");
}

iimg_error_t *iimg_not_authenticated(iimg_context_t *context)
{
    return unauthenticated(context, "Authentication credentials were not provided.",
                           "not_authenticated");
}

iimg_error_t *iimg_accept_caller(iimg_context_t *context, const iimg_caller_t *caller,
                                 iimg_role_t role)
{
    if (!context->login) {
        return iimg_not_authenticated(context);
    }
    if (!caller || !caller->is_active) {
        return iimg_inactive_user(context);
    }
    if (!caller->credentials_hold) {
        return context->login_token ? iimg_invalid_token(context) : iimg_wrong_password(context);
    }
    context->caller = caller;
    if (role == IIMG_STAFF && !caller->is_staff) {
        return iimg_error_code(iimg_error(context->pool, IIMG_FORBIDDEN,
                                          "You do not have permission to perform this action."),
                               "permission_denied");
    }
    return NULL;
}

iimg_error_t *iimg_identify_caller(iimg_context_t *context, iimg_role_t role)
{
    const iimg_caller_t *caller = NULL;
    iimg_error_t *err = NULL;

    if (context->login) {
        err = iimg_caller_by_login(context, &caller);
    }
    return err ? err : iimg_accept_caller(context, caller, role);
}

iimg_error_t *iimg_identify_caller_for(iimg_context_t *context, const char *owner)
{
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (!err && strcmp(context->caller->id, owner) != 0) {
        err = iimg_accept_caller(context, context->caller, IIMG_STAFF);
    }
    return err;
}

iimg_error_t *iimg_identity_not_found(iimg_context_t *context)
{
    return iimg_error_code(iimg_error(context->pool, IIMG_NOT_FOUND, "Identity not found"),
                           "identity_not_found");
}

iimg_error_t *iimg_not_found(iimg_context_t *context)
{
    return iimg_error(context->pool, IIMG_NOT_FOUND, "Not found.");
}
