/* delete_user.c - remove a user and all that is his: rows by cascade, then his pictures. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/sweep.h"
#include "functions/shared/version.h"

/* Locks before it looks again: of two who delete each other one is gone before he can. */
typedef struct removal_t {
    const char *id;
    iimg_claim_t doomed; /* by triggers */
} removal_t;

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    removal_t *removal = baton;
    const char *id = removal->id;
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
    if (!err) {
        err = iimg_audit(context, "delete", "users", id, NULL);
    }
    return err ? err : iimg_stored_object_claim_own(context, &removal->doomed);
}

iimg_error_t *iimg_delete_user(iimg_context_t *context, const char *id)
{
    removal_t removal = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &removal);

    if (!err) {
        iimg_sweep_claim(context, &removal.doomed);
    }
    return err;
}
