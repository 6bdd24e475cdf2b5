/* restore_identity_image.c - restore the picture before the last change. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/identity.h"

typedef struct change_t {
    const char *id;
    iimg_identity_t *identity;
} change_t;

static iimg_error_t *nothing_held(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_CONFLICT, "nothing_to_restore",
                                "There is no earlier picture to restore.");
}

/* Triggers set the held objects to live, and hold those of the present picture. */
static iimg_error_t *exchange_pictures(iimg_context_t *context, void *baton)
{
    change_t *change = baton;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (err) {
        return err;
    }
    err = iimg_lock_identity(context, change->id, &change->identity);
    if (err) {
        return err;
    }
    err = iimg_identity_restore_picture(context, change->id, &change->identity);
    if (err) {
        return err;
    }
    if (!change->identity) {
        return nothing_held(context);
    }
    err = iimg_idempotency_record(context, IIMG_STATUS_OK, change->id);
    if (err) {
        return err;
    }
    return iimg_audit_member(context, "change", "identities", change->id, "image");
}

iimg_error_t *iimg_restore_identity_image(iimg_context_t *context, const char *id,
                                          iimg_identity_t **identity)
{
    change_t change = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, exchange_pictures, &change);

    *identity = change.identity;
    return err;
}
