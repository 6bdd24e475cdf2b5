/* save_job_to_identity.c - copy the picture of a finished job to its identity. */
#include "functions/admin/admin.h"

#include <string.h>
#include "functions/shared/not_found.h"
#include "functions/shared/store_picture.h"
#include "functions/shared/version.h"

static iimg_error_t *has_no_picture(iimg_context_t *context, const iimg_generation_job_t *job)
{
    const char *why = strcmp(job->state, "queued") == 0 || strcmp(job->state, "running") == 0
                          ? "This generation has no picture yet."
                          : "This generation has no picture.";

    return iimg_error_with_code(context->pool, IIMG_CONFLICT, "job_no_picture", "%s", why);
}

/* Saves reading and decoding the picture in vain; the transaction checks again. */
static iimg_error_t *check_identity(iimg_context_t *context, const iimg_generation_job_t *job)
{
    iimg_identity_t *identity = NULL;
    iimg_error_t *err = NULL;

    if (job->identity_id) {
        err = iimg_identity_by_id(context, job->identity_id, &identity);
    }
    if (err) {
        return err;
    }
    if (!identity) {
        return iimg_identity_not_found(context);
    }
    return iimg_check_version(context, identity->version);
}

static iimg_error_t *read_picture(iimg_context_t *context, const iimg_generation_job_t *job,
                                  iimg_upload_t *upload)
{
    const iimg_services_t *services = context->services;
    const char *data;
    apr_size_t length;
    iimg_error_t *err = services->storage.driver->get(context, &services->storage, job->image,
                                                      services->max_object, &data, &length);

    if (err) { /* not found: deleted with the user it shows */
        return err->kind == IIMG_NOT_FOUND ? has_no_picture(context, job) : err;
    }
    /* The copy has the name of the generated picture: "generated_images/<name>". */
    *upload = (iimg_upload_t){ { data, length, -1, 0 }, strrchr(job->image, '/') + 1, true };
    return NULL;
}

static iimg_error_t *copy_picture(iimg_context_t *context, const iimg_generation_job_t *job,
                                  bool once, iimg_identity_t **identity)
{
    iimg_upload_t upload;
    iimg_error_t *err = read_picture(context, job, &upload);

    if (err) {
        return err;
    }
    err = iimg_set_identity_image(context, job->identity_id, &upload, job->user_id,
                                  once ? job->id : NULL, identity);
    if (err && err->kind == IIMG_NOT_FOUND) {
        return iimg_identity_not_found(context); /* deleted after check_identity() */
    }
    return err;
}

iimg_error_t *iimg_save_job_to_identity(iimg_context_t *context, const char *job_id, bool once,
                                        iimg_identity_t **identity)
{
    iimg_generation_job_t *job;
    iimg_error_t *err = iimg_get_generation_job(context, job_id, &job);

    if (err) {
        return err;
    }
    if (!job->image || !job->user_id) { /* deleted with the user it shows */
        return has_no_picture(context, job);
    }
    err = check_identity(context, job);
    if (err) {
        return err;
    }
    return copy_picture(context, job, once, identity);
}
