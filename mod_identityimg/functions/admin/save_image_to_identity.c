/* save_image_to_identity.c - copy a generated picture to its identity. */
#include "functions/admin/admin.h"

#include <string.h>
#include "functions/shared/store_picture.h"
#include "models/idempotency_key.h"

iimg_error_t *iimg_save_image_to_identity(iimg_context_t *context, const char *identity_id,
                                          const iimg_generation_job_t *job, const char *data,
                                          apr_size_t length, iimg_identity_t **identity)
{
    /* The copy has the name of the generated picture: "generated_images/<name>". */
    iimg_upload_t upload = { { data, length, -1, 0 }, strrchr(job->image, '/') + 1, true };
    const iimg_idempotency_key_t *key = context->idempotency;
    iimg_error_t *err;

    if (!job->user_id) {
        return iimg_user_share(context, NULL);
    }
    context->idempotency = NULL; /* the key refers to the job */
    err = iimg_set_identity_image(context, identity_id, &upload, job->user_id, job->id, identity);
    context->idempotency = key;
    return err;
}
