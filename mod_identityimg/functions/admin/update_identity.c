/* update_identity.c - change what an identity says; its picture has routes of its own. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/identity.h"
#include "functions/shared/members.h"

typedef struct update_t {
    const char *id;
    const iimg_identity_change_t *wanted;
    iimg_identity_t *identity;
} update_t;

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    update_t *update = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_lock_identity(context, update->id, &update->identity);
    }
    if (err) {
        return err;
    }
    iimg_apply_identity_change(update->wanted, members, update->identity);
    if (!members->nelts) {
        return NULL;
    }
    err = iimg_identity_update(context, &update->identity);
    return err ? err : iimg_audit(context, "change", "identities", update->id, members);
}

iimg_error_t *iimg_update_identity(iimg_context_t *context, const char *id,
                                   const iimg_identity_change_t *wanted, iimg_identity_t **identity)
{
    update_t update = { .id = id, .wanted = wanted };
    iimg_error_t *err = iimg_db_transaction(context, update_row, &update);

    *identity = update.identity;
    return err;
}
