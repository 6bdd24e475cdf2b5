/* create_identity.c - a new identity of a user, without a picture yet. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"

typedef struct creation_t {
    const iimg_identity_change_t *wanted;
    iimg_identity_t *identity;
} creation_t;

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_identity_t identity = { .notes = apr_array_make(context->pool, 1, sizeof(char *)) };
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        iimg_apply_identity_change(creation->wanted, members, &identity);
        creation->identity = &identity;
        err = iimg_identity_insert(context, &creation->identity);
    }
    if (!err) {
        err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, creation->identity->id);
    }
    return err ? err : iimg_audit(context, "create", "identities", creation->identity->id, members);
}

iimg_error_t *iimg_create_identity(iimg_context_t *context, const iimg_identity_change_t *wanted,
                                   iimg_identity_t **identity)
{
    creation_t creation = { .wanted = wanted };
    iimg_error_t *err = iimg_db_transaction(context, insert_row, &creation);

    *identity = creation.identity;
    return err;
}
