/* admin_users.c - users, for staff. */
#include "base/text.h"
#include "serializers/serializers.h"
#include "services/accounts/password.h"
#include "views/resource.h"
#include "views/shared.h"

#define MAX_EMAIL       254 /* characters */
#define MAX_PERSON_NAME 150

static iimg_error_t *read_filter(const iimg_input_t *query, iimg_row_filter_t *filter)
{
    iimg_error_t *err = iimg_read_flag_filter(query, "is_staff", &filter->user.is_staff);

    return iimg_error_join(err, iimg_read_flag_filter(query, "is_active", &filter->user.is_active));
}

/* Exactly as it was sent: white space may be part of a password, but not all of it. */
static iimg_error_t *read_password(iimg_request_t *req, const iimg_input_t *input,
                                   iimg_given_t *password)
{
    iimg_error_t *err = iimg_input_secret(input, "password", IIMG_PASSWORD_MAX, &password->value);

    password->given = iimg_input_has(input, "password");
    if (!err && password->value && !*iimg_text_trim(req->context->pool, password->value)) {
        err = iimg_error_invalid_field(req->context->pool, "password", NULL,
                                       "This field may not be blank.");
    }
    if (err) {
        password->value = NULL;
    }
    return err;
}

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_row_change_t *change)
{
    const int optional = IIMG_MAY_BE_BLANK | IIMG_NULL_IS_BLANK;
    iimg_user_change_t *user = &change->user;
    iimg_error_t *err = iimg_input_given(input, "email", MAX_EMAIL, 0, &user->email);

    err = iimg_error_join(
        err, iimg_input_given(input, "first_name", MAX_PERSON_NAME, optional, &user->first_name));
    err = iimg_error_join(
        err, iimg_input_given(input, "last_name", MAX_PERSON_NAME, optional, &user->last_name));
    err = iimg_error_join(err, iimg_input_given_bool(input, "is_staff", &user->is_staff));
    err = iimg_error_join(err, iimg_input_given_bool(input, "is_active", &user->is_active));
    err = iimg_error_join(err, read_password(req, input, &user->password));
    return iimg_error_join(err, iimg_check_user_change(req->context, user));
}

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    (void)signer;
    iimg_account_serialize(out, row);
}

const iimg_resource_view_t iimg_admin_users = {
    .path = "admin/users/",
    .rows = &iimg_user_resource,
    .required = (const char *const[]){ "email", NULL },
    .seconds = IIMG_ROW_SECONDS,
    .read_filter = read_filter,
    .read_new = read_change,
    .read_change = read_change,
    .write = write_row,
};
