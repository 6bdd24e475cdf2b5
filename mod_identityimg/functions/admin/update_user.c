/* update_user.c - change a user; nobody locks himself out. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

typedef struct update_t {
    const char *id;
    const iimg_user_change_t *wanted;
    const char *hash; /* NULL: the password stays */
    iimg_account_t *account;
} update_t;

/* Locks before it looks again: of two who take each other's rights away one has none left. */
static iimg_error_t *lock_rows(iimg_context_t *context, update_t *update)
{
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_account_lock(context, update->id, context->caller->id, &update->account);
    }
    if (!err) {
        err = iimg_identify_caller(context, IIMG_STAFF);
    }
    if (!err && !update->account) {
        err = iimg_not_found(context);
    }
    return err ? err : iimg_check_version(context, update->account->version);
}

static iimg_error_t *check_own(iimg_context_t *context, const iimg_account_t *account)
{
    iimg_error_t *err = NULL;

    if (!account->is_active) {
        err = iimg_refuse_own_account(context, account->user.id, "deactivate");
    }
    if (!err && !account->user.is_staff) {
        err = iimg_refuse_own_account(context, account->user.id, "take the staff's rights from");
    }
    return err;
}

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    update_t *update = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_error_t *err = lock_rows(context, update);

    if (err) {
        return err;
    }
    iimg_apply_user_change(update->wanted, update->hash, members, update->account);
    if (!members->nelts) {
        return NULL;
    }
    err = check_own(context, update->account);
    if (!err) {
        err = iimg_account_update(context, update->hash, &update->account);
    }
    return err ? err : iimg_audit(context, "change", "users", update->id, members);
}

iimg_error_t *iimg_update_user(iimg_context_t *context, const char *id,
                               const iimg_user_change_t *wanted, iimg_account_t **account)
{
    update_t update = { .id = id, .wanted = wanted };
    iimg_error_t *err = iimg_hash_user_change(context, wanted, &update.hash);

    if (!err) {
        err = iimg_db_transaction(context, update_row, &update);
    }
    *account = update.account;
    return err;
}
