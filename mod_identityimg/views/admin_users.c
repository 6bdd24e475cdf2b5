/* admin_users.c - all users, for staff. */
#include "views/views.h"

#include "base/text.h"
#include "functions/admin/admin.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "services/accounts/password.h"
#include "views/page.h"
#include "views/shared.h"

#define MAX_EMAIL       254 /* characters */
#define MAX_PERSON_NAME 150

static iimg_error_t *answer_one(iimg_request_t *req, int status, const iimg_account_t *account)
{
    iimg_json_t *out;

    if (iimg_respond_unchanged(req, apr_itoa(req->context->pool, account->version), false)) {
        return NULL;
    }
    out = iimg_respond_begin(req, 512);
    iimg_account_serialize(out, account);
    return iimg_respond_json(req, status, out);
}

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    (void)signer;
    iimg_account_serialize(out, row);
}

/* To the character as it was sent: white space may be part of it, but not all of it. */
static iimg_error_t *read_password(iimg_request_t *req, const iimg_input_t *input,
                                   iimg_given_t *password)
{
    iimg_error_t *err = iimg_input_secret(input, "password", IIMG_PASSWORD_MAX, &password->value);

    password->given = iimg_input_has(input, "password");
    if (!err && password->value && !*iimg_text_trim(req->context->pool, password->value)) {
        err = iimg_error_field(
            iimg_error(req->context->pool, IIMG_INVALID, "This field may not be blank."),
            "password");
    }
    if (err) {
        password->value = NULL;
    }
    return err;
}

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_user_change_t *change)
{
    const int optional = IIMG_MAY_BE_BLANK | IIMG_NULL_IS_BLANK;
    iimg_error_t *err = iimg_input_given(input, "email", MAX_EMAIL, 0, &change->email);

    err = iimg_error_join(
        err, iimg_input_given(input, "first_name", MAX_PERSON_NAME, optional, &change->first_name));
    err = iimg_error_join(
        err, iimg_input_given(input, "last_name", MAX_PERSON_NAME, optional, &change->last_name));
    err = iimg_error_join(err, iimg_input_given_bool(input, "is_staff", &change->is_staff));
    err = iimg_error_join(err, iimg_input_given_bool(input, "is_active", &change->is_active));
    err = iimg_error_join(err, read_password(req, input, &change->password));
    return iimg_error_join(err, iimg_check_user_change(req->context, change));
}

static iimg_error_t *read_list(iimg_request_t *req, iimg_page_t *page,
                               iimg_account_filter_t *filter)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_read_page(req, page, &query);

    err = iimg_error_join(err, iimg_read_flag_filter(query, "is_staff", &filter->is_staff));
    return iimg_error_join(err, iimg_read_flag_filter(query, "is_active", &filter->is_active));
}

iimg_error_t *iimg_view_admin_user_list(iimg_request_t *req)
{
    apr_array_header_t *accounts;
    iimg_account_filter_t filter;
    iimg_page_t page;
    iimg_error_t *err = read_list(req, &page, &filter);

    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_users(req->context, &page, &filter, &accounts);
    return err ? err : iimg_answer_page(req, &page, accounts, write_row);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status, const iimg_account_t *account)
{
    iimg_set_location(req, account->user.id);
    return answer_one(req, status, account);
}

/* The row that the request made when it came first, as it is now. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_account_t *account;
    iimg_error_t *err = iimg_get_user(req->context, replay->id, &account);

    return err ? iimg_replay_error(req, err) : answer_created(req, replay->status, account);
}

iimg_error_t *iimg_view_admin_user_create(iimg_request_t *req)
{
    static const char *const required[] = { "email", NULL };
    iimg_user_change_t wanted;
    iimg_account_t *account;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_ROW_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (!err && replay) {
        return replay_create(req, replay);
    }
    if (!err) {
        err = iimg_error_join(iimg_input_require(input, required),
                              read_change(req, input, &wanted));
    }
    if (!err) {
        err = iimg_create_user(req->context, &wanted, &account);
    }
    return err ? err : answer_created(req, HTTP_CREATED, account);
}

iimg_error_t *iimg_view_admin_user_retrieve(iimg_request_t *req)
{
    iimg_account_t *account;
    iimg_error_t *err = iimg_get_user(req->context, req->id, &account);

    return err ? err : answer_one(req, HTTP_OK, account);
}

iimg_error_t *iimg_view_admin_user_update(iimg_request_t *req)
{
    iimg_user_change_t wanted;
    iimg_account_t *account;
    iimg_input_t *input;
    iimg_error_t *err = iimg_get_user(req->context, req->id, &account);

    if (!err) {
        err = iimg_check_version(req->context, account->version);
    }
    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = read_change(req, input, &wanted);
    }
    if (!err) {
        err = iimg_update_user(req->context, req->id, &wanted, &account);
    }
    return err ? err : answer_one(req, HTTP_OK, account);
}

iimg_error_t *iimg_view_admin_user_destroy(iimg_request_t *req)
{
    iimg_error_t *err = iimg_delete_user(req->context, req->id);

    return err ? err : iimg_respond_no_content(req);
}
