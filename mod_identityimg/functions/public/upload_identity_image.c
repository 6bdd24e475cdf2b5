/* upload_identity_image.c - set an identity's picture. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"
#include "functions/shared/complete_upload.h"
#include "functions/shared/identity.h"
#include "functions/shared/not_found.h"
#include "functions/shared/sweep.h"
#include "models/generation_job.h"

typedef struct change_t {
    const char *id;
    const char *shown_id; /* the user in the picture; NULL: unknown */
    const char *job_id;   /* the job that saves its picture; NULL: none */
    bool saved_before;    /* the job has saved it already */
    iimg_stored_picture_t stored;
    iimg_claim_t doomed; /* objects of the picture that was held */
    iimg_identity_t *identity;
} change_t;

static iimg_error_t *record_saved(iimg_context_t *context, change_t *change)
{
    bool first = true;
    iimg_error_t *err = NULL;

    if (change->job_id) {
        err = iimg_generation_job_saved(context, change->job_id, &first);
    }
    change->saved_before = !err && !first;
    return err;
}

/* A trigger holds the previous picture for a day, so that the change can be undone. */
static iimg_error_t *set_picture(iimg_context_t *context, void *baton)
{
    change_t *change = baton;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (err) {
        return err;
    }
    if (change->shown_id) {
        err = iimg_user_share(context, change->shown_id);
        if (err) {
            return err;
        }
    }
    err = iimg_lock_identity(context, change->id, &change->identity);
    if (err) {
        return err;
    }
    err = record_saved(context, change);
    if (err) {
        return err;
    }
    if (change->saved_before) {
        return NULL;
    }
    err = iimg_identity_set_picture(context, change->id, &change->stored.picture,
                                    &change->identity);
    if (err) {
        return err;
    }
    if (!change->identity) {
        return iimg_not_found(context);
    }
    return iimg_complete_upload(context, &change->stored, "identities", change->id,
                                &change->doomed);
}

iimg_error_t *iimg_set_identity_image(iimg_context_t *context, const char *id,
                                      const iimg_upload_t *upload, const char *shown_id,
                                      const char *job_id, iimg_identity_t **identity)
{
    change_t change = { .id = id, .shown_id = shown_id, .job_id = job_id };
    iimg_error_t *err = iimg_store_picture(context, upload, &change.stored);

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, set_picture, &change);
    if (err || change.saved_before) {
        iimg_abandon_picture(context, &change.stored);
    }
    else {
        iimg_sweep_claim(context, &change.doomed);
    }
    *identity = change.identity;
    return err;
}

iimg_error_t *iimg_upload_identity_image(iimg_context_t *context, const char *id,
                                         const iimg_upload_t *upload, iimg_identity_t **identity)
{
    return iimg_set_identity_image(context, id, upload, NULL, NULL, identity);
}
