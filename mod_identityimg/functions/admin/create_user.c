/* create_user.c - a new user, with a password or without. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"

typedef struct creation_t {
    const iimg_user_change_t *wanted;
    const char *hash; /* NULL: nobody comes in by password */
    iimg_account_t *account;
} creation_t;

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    iimg_account_t account = { .user = { .first_name = "", .last_name = "" }, .is_active = true };
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        iimg_apply_user_change(creation->wanted, creation->hash, members, &account);
        creation->account = &account;
        err = iimg_account_insert(context, creation->hash ? creation->hash : "",
                                  &creation->account);
    }
    if (!err) {
        err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, creation->account->user.id);
    }
    return err ? err : iimg_audit(context, "create", "users", creation->account->user.id, members);
}

iimg_error_t *iimg_create_user(iimg_context_t *context, const iimg_user_change_t *wanted,
                               iimg_account_t **account)
{
    creation_t creation = { .wanted = wanted };
    iimg_error_t *err = iimg_hash_user_change(context, wanted, &creation.hash);

    if (!err) {
        err = iimg_db_transaction(context, insert_row, &creation);
    }
    *account = creation.account;
    return err;
}
