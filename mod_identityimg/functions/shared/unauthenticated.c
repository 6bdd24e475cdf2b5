/* unauthenticated.c - the errors of requests without valid credentials. */
#include "functions/shared/unauthenticated.h"

static const struct {
    const char *message;
    const char *code;
} reasons[] = {
    [IIMG_NO_CREDENTIALS] = { "Authentication credentials were not provided.",
                              "not_authenticated" },
    [IIMG_WRONG_PASSWORD] = { "Invalid username/password.", "authentication_failed" },
    [IIMG_INVALID_TOKEN] = { "Invalid token.", "invalid_token" },
    [IIMG_INACTIVE_USER] = { "User inactive or deleted.", "user_inactive" },
};

iimg_error_t *iimg_unauthenticated(iimg_context_t *context, iimg_unauthenticated_t reason)
{
    return iimg_error_code(
        iimg_error(context->pool, IIMG_UNAUTHENTICATED, "%s", reasons[reason].message),
        reasons[reason].code);
}
