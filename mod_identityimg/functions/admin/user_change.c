/* user_change.c - members of a user in a request. */
#include "functions/admin/user_change.h"

#include <string.h>
#include "base/text.h"
#include "services/accounts/password.h"

static iimg_error_t *check_email(iimg_context_t *context, const char *email)
{
    if (iimg_text_is_email(email) && iimg_text_characters(email) >= 3) {
        return NULL;
    }
    return iimg_error_invalid_field(context->pool, "email", NULL, "Enter a valid email address.");
}

static iimg_error_t *check_password(iimg_context_t *context, const char *password)
{
    if (iimg_text_characters(password) < IIMG_PASSWORD_MIN_CHARACTERS) {
        return iimg_error_invalid_field(context->pool, "password", NULL,
                                        "Ensure this field has at least 8 characters.");
    }
    if (strlen(password) > IIMG_PASSWORD_MAX_BYTES) {
        return iimg_error_invalid_field(context->pool, "password", NULL,
                                        "Ensure this field has no more than 72 bytes.");
    }
    return NULL;
}

/* A member that could not be read has no value. */
iimg_error_t *iimg_check_user_change(iimg_context_t *context, const iimg_user_change_t *change)
{
    iimg_error_t *err = change->email.value ? check_email(context, change->email.value) : NULL;

    if (!change->password.value) {
        return err;
    }
    return iimg_error_join(err, check_password(context, change->password.value));
}

iimg_error_t *iimg_hash_user_change(iimg_context_t *context, iimg_user_change_t *change)
{
    iimg_error_t *err = iimg_check_user_change(context, change);

    change->hash = NULL;
    if (err || !change->password.given) {
        return err;
    }
    return iimg_password_hash(context, change->password.value, &change->hash);
}
