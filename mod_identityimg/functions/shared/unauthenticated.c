/* unauthenticated.c - the errors of requests without valid credentials. */
#include "functions/shared/unauthenticated.h"

static const struct {
    const char *code;
    const char *message;
} reasons[] = {
    [IIMG_NO_CREDENTIALS] = { "not_authenticated",
                              "Authentication credentials were not provided." },
    [IIMG_WRONG_PASSWORD] = { "authentication_failed", "Invalid username/password." },
    [IIMG_INVALID_TOKEN] = { "invalid_token", "Invalid token." },
    [IIMG_INACTIVE_USER] = { "user_inactive", "User inactive or deleted." },
};

iimg_error_t *iimg_unauthenticated(iimg_context_t *context, iimg_unauthenticated_t reason)
{
    return iimg_error_with_code(context->pool, IIMG_UNAUTHENTICATED, reasons[reason].code, "%s",
                                reasons[reason].message);
}
