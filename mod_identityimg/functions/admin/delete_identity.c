/* delete_identity.c - remove an identity: its row, then its pictures. */
#include "functions/admin/admin.h"

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    const char *id = baton;
    iimg_identity_t *identity;
    bool found = false;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_lock_identity(context, id, &identity);
    }
    if (!err) {
        err = iimg_identity_delete(context, id, &found);
    }
    if (!err && !found) {
        err = iimg_not_found(context);
    }
    return err ? err : iimg_audit(context, "delete", "identities", id,
                                  iimg_members(context->pool));
}

iimg_error_t *iimg_delete_identity(iimg_context_t *context, const char *id)
{
    iimg_error_t *err = iimg_db_transaction(context, delete_row, (void *)id);

    if (!err) {
        iimg_sweep(context);        /* a trigger has doomed its objects */
    }
    return err;
}
