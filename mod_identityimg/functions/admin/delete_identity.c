/* delete_identity.c - remove an identity: its row, then its pictures. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/identity.h"
#include "functions/shared/not_found.h"
#include "functions/shared/sweep.h"

typedef struct removal_t {
    const char *id;
    iimg_claim_t doomed; /* by triggers */
} removal_t;

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    removal_t *removal = baton;
    const char *id = removal->id;
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
    if (!err) {
        err = iimg_audit(context, "delete", "identities", id, NULL);
    }
    return err ? err : iimg_stored_object_claim_own(context, &removal->doomed);
}

iimg_error_t *iimg_delete_identity(iimg_context_t *context, const char *id)
{
    removal_t removal = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &removal);

    if (!err) {
        iimg_sweep_claim(context, &removal.doomed);
    }
    return err;
}
