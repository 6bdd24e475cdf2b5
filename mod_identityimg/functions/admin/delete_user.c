/* delete_user.c - remove a user and all that is his: rows by cascade, then his pictures. */
#include "functions/admin/admin.h"

/* Locks before it looks again: of two who delete each other one is gone before he can. */
static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    const char *id = baton;
    iimg_account_t *account = NULL;
    bool found = false;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_account_lock(context, id, context->caller->id, &account);
    }
    if (!err) {
        err = iimg_identify_caller(context, IIMG_STAFF);
    }
    if (!err && !account) {
        err = iimg_not_found(context);
    }
    if (!err) {
        err = iimg_check_version(context, account->version);
    }
    if (!err) {
        err = iimg_refuse_own_account(context, id, "delete");
    }
    if (!err) {
        err = iimg_account_delete(context, id, &found);
    }
    return err ? err : iimg_audit(context, "delete", "users", id, iimg_members(context->pool));
}

iimg_error_t *iimg_delete_user(iimg_context_t *context, const char *id)
{
    iimg_error_t *err = iimg_db_transaction(context, delete_row, (void *)id);

    if (!err) {
        iimg_sweep(context);        /* triggers have doomed the objects of his pictures */
    }
    return err;
}
