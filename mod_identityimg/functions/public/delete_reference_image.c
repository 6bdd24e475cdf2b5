/* delete_reference_image.c - delete a photo: its row, then its objects. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/sweep.h"

typedef struct removal_t {
    const char *user_id;
    const char *id;
    iimg_claim_t doomed; /* by a trigger */
} removal_t;

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    removal_t *removal = baton;
    bool found = false;
    iimg_error_t *err = iimg_identify_caller_for(context, removal->user_id);

    if (err) {
        return err;
    }
    err = iimg_lock_reference_image_if_match(context, removal->user_id, removal->id);
    if (err) {
        return err;
    }
    err = iimg_reference_image_delete(context, removal->user_id, removal->id, &found);
    if (err) {
        return err;
    }
    if (!found) {
        return iimg_not_found(context);
    }
    err = iimg_audit(context, "delete", "reference_images", removal->id, NULL);
    if (err) {
        return err;
    }
    return iimg_stored_object_claim_own(context, &removal->doomed);
}

iimg_error_t *iimg_delete_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id)
{
    removal_t removal = { .user_id = user_id, .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &removal);

    if (err) {
        return err;
    }
    iimg_sweep_claim(context, &removal.doomed);
    return NULL;
}
