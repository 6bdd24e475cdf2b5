/* delete_identity_image.c - remove an identity's picture; it is held for a day. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/identity.h"
#include "functions/shared/not_found.h"
#include "functions/shared/sweep.h"

typedef struct change_t {
    const char *id;
    iimg_claim_t doomed;
    iimg_identity_t *identity;
} change_t;

static iimg_error_t *clear_picture(iimg_context_t *context, void *baton)
{
    static const iimg_picture_t none = { NULL, NULL };
    change_t *change = baton;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (err) {
        return err;
    }
    err = iimg_lock_identity(context, change->id, &change->identity);
    if (err) {
        return err;
    }
    if (!change->identity->picture.key) {
        return NULL;
    }
    err = iimg_identity_set_picture(context, change->id, &none, &change->identity);
    if (err) {
        return err;
    }
    if (!change->identity) {
        return iimg_not_found(context);
    }
    err = iimg_audit_member(context, "change", "identities", change->id, "image");
    if (err) {
        return err;
    }
    return iimg_stored_object_claim_own(context, &change->doomed);
}

iimg_error_t *iimg_delete_identity_image(iimg_context_t *context, const char *id,
                                         iimg_identity_t **identity)
{
    change_t change = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, clear_picture, &change);

    if (err) {
        return err;
    }
    iimg_sweep_claim(context, &change.doomed);
    *identity = change.identity;
    return NULL;
}
