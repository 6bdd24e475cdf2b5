/* upload_reference_image.c - set or replace a photo's picture. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"
#include "functions/shared/complete_upload.h"
#include "functions/shared/not_found.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/sweep.h"

typedef struct change_t {
    const char *user_id;
    const char *id;
    iimg_stored_picture_t stored;
    iimg_claim_t doomed; /* objects of the previous picture */
    iimg_reference_image_t *image;
} change_t;

/* A trigger dooms the objects of the previous picture in the same transaction. */
static iimg_error_t *set_picture(iimg_context_t *context, void *baton)
{
    change_t *change = baton;
    iimg_error_t *err = iimg_identify_caller_for(context, change->user_id);

    if (err) {
        return err;
    }
    err = iimg_lock_reference_image_if_match(context, change->user_id, change->id);
    if (err) {
        return err;
    }
    err = iimg_reference_image_set_picture(context, change->user_id, change->id,
                                           &change->stored.picture, &change->image);
    if (err) {
        return err;
    }
    if (!change->image) {
        return iimg_not_found(context);
    }
    return iimg_complete_upload(context, &change->stored, "reference_images", change->id,
                                &change->doomed);
}

iimg_error_t *iimg_upload_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id, const iimg_upload_t *upload,
                                          iimg_reference_image_t **image)
{
    change_t change = { .user_id = user_id, .id = id };
    iimg_error_t *err = iimg_store_picture(context, upload, &change.stored);

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, set_picture, &change);
    if (err) {
        iimg_abandon_picture(context, &change.stored);
        return err;
    }
    iimg_sweep_claim(context, &change.doomed);
    *image = change.image;
    return NULL;
}
