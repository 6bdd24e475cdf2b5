/* user_change.c - what staff say of a user: whether it will do, and what of it is new. */
#include "functions/admin/admin.h"

#include <string.h>
#include "base/text.h"
#include "functions/shared/members.h"
#include "services/accounts/password.h"

static iimg_error_t *refuse(iimg_context_t *context, const char *field, const char *sentence)
{
    return iimg_error_field(iimg_error(context->pool, IIMG_INVALID, "%s", sentence), field);
}

static iimg_error_t *check_email(iimg_context_t *context, const char *email)
{
    return !iimg_text_is_email(email) || iimg_text_characters(email) < 3
               ? refuse(context, "email", "Enter a valid email address.")
               : NULL;
}

static iimg_error_t *check_password(iimg_context_t *context, const char *password)
{
    if (iimg_text_characters(password) < IIMG_PASSWORD_MIN_CHARACTERS) {
        return refuse(context, "password", "Ensure this field has at least 8 characters.");
    }
    return strlen(password) > IIMG_PASSWORD_MAX_BYTES
               ? refuse(context, "password", "Ensure this field has no more than 72 bytes.")
               : NULL;
}

/* A field that could not be read has no value. */
iimg_error_t *iimg_check_user_change(iimg_context_t *context, const iimg_user_change_t *wanted)
{
    iimg_error_t *err = wanted->email.value ? check_email(context, wanted->email.value) : NULL;

    return wanted->password.value
               ? iimg_error_join(err, check_password(context, wanted->password.value))
               : err;
}

iimg_error_t *iimg_hash_user_change(iimg_context_t *context, const iimg_user_change_t *wanted,
                                    const char **hash)
{
    iimg_error_t *err = iimg_check_user_change(context, wanted);

    *hash = NULL;
    if (err) {
        return err;
    }
    return wanted->password.given ? iimg_password_hash(context, wanted->password.value, hash)
                                  : NULL;
}

void iimg_apply_user_change(const iimg_user_change_t *wanted, const char *hash,
                            apr_array_header_t *members, iimg_account_t *account)
{
    iimg_members_set_text(members, "email", &wanted->email, &account->user.email);
    iimg_members_set_text(members, "first_name", &wanted->first_name, &account->user.first_name);
    iimg_members_set_text(members, "last_name", &wanted->last_name, &account->user.last_name);
    iimg_members_set_bool(members, "is_staff", &wanted->is_staff, &account->user.is_staff);
    iimg_members_set_bool(members, "is_active", &wanted->is_active, &account->is_active);
    if (hash) {
        iimg_members_add(members, "password");
    }
}

iimg_error_t *iimg_refuse_own_account(iimg_context_t *context, const char *id, const char *what)
{
    return strcmp(id, context->caller->id) == 0
               ? iimg_error_code(iimg_error(context->pool, IIMG_CONFLICT,
                                            "You cannot %s your own account. "
                                            "Ask another member of the staff.",
                                            what),
                                 "own_account")
               : NULL;
}
