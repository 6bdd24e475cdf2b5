/* replay_generation.c - what an earlier request generated, once more. */
#include "functions/admin/admin.h"

static iimg_error_t *save_now(iimg_context_t *context, iimg_generation_t *generation)
{
    const iimg_services_t *services = context->services;
    const iimg_generation_job_t *job = generation->job;
    const char *data;
    apr_size_t length;
    iimg_error_t *err = services->storage.driver->get(context, &services->storage, job->image,
                                                      services->max_object, &data, &length);

    return err ? err : iimg_save_image_to_identity(context, job->identity_id, job, data, length,
                                                   &generation->identity);
}

iimg_error_t *iimg_replay_generation(iimg_context_t *context, const char *job_id, bool unsaved,
                                     iimg_generation_t *generation)
{
    iimg_error_t *err = iimg_generation_job_by_id(context, job_id, &generation->job);

    generation->identity = NULL;
    if (err) {
        return err;
    }
    if (!generation->job || !generation->job->image) {
        return iimg_idempotency_gone(context);
    }
    if (!generation->job->save_to_identity || !generation->job->identity_id) {
        return NULL;
    }
    return unsaved ? save_now(context, generation)
                   : iimg_identity_by_id(context, generation->job->identity_id,
                                         &generation->identity);
}
