/* answer_generation.c - what who asked for a picture is answered, once its job has ended. */
#include "functions/admin/admin.h"

#include <string.h>
#include <apr_strings.h>
#include "functions/shared/idempotency.h"

/* What a job failed with is recorded as the status that it is answered with. */
static const struct {
    int status;
    iimg_error_kind_t kind;
} kinds[] = {
    { 400, IIMG_INVALID },  { 404, IIMG_NOT_FOUND },   { 409, IIMG_CONFLICT },
    { 422, IIMG_REFUSED },  { 429, IIMG_LIMITED },     { 500, IIMG_INTERNAL },
    { 502, IIMG_UPSTREAM }, { 503, IIMG_UNAVAILABLE }, { 504, IIMG_UPSTREAM_TIMEOUT },
};

static iimg_error_kind_t kind_of(int status)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].status == status) {
            return kinds[i].kind;
        }
    }
    return IIMG_UPSTREAM; /* recorded before statuses were */
}

static iimg_error_t *failure(iimg_context_t *context, const iimg_generation_job_t *job)
{
    iimg_error_t *err = iimg_error(context->pool, kind_of(job->error_status), "%s",
                                   job->error_detail ? job->error_detail
                                                     : "The generation failed.");

    err->code = job->error_code;
    err->retry_after = job->error_retry_after;
    return iimg_error_detail(err, "generation %s: %s", job->id, err->message);
}

static iimg_error_t *was_canceled(iimg_context_t *context, const iimg_generation_job_t *job)
{
    return iimg_error_code(
        job->image ? iimg_error(context->pool, IIMG_CONFLICT,
                                "The generation was canceled after "
                                "the provider was asked. Its picture is kept with job %s.",
                                job->id)
                   : iimg_error(context->pool, IIMG_CONFLICT, "The generation was canceled."),
        "generation_canceled");
}

static iimg_error_t *still_runs(iimg_context_t *context, const iimg_generation_job_t *job)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_BUSY,
                                   "The picture is not there yet, and this "
                                   "request cannot wait any longer. It is going to be kept as "
                                   "job %s.",
                                   job->id);

    return iimg_error_code(err, "generation_unfinished");
}

/* The picture is kept with its job whatever happens here: the error says so. */
static iimg_error_t *save_now(iimg_context_t *context, iimg_generation_t *generation)
{
    const iimg_generation_job_t *job = generation->job;
    iimg_error_t *err = iimg_save_job_to_identity(context, job->id, true, &generation->identity);

    if (!err) {
        return NULL;
    }
    err->message = apr_psprintf(context->pool,
                                "The picture was made and is kept as job %s, but "
                                "could not be saved to the identity: %s",
                                job->id, err->message);
    return err;
}

static iimg_error_t *find_identity(iimg_context_t *context, iimg_generation_t *generation)
{
    const iimg_generation_job_t *job = generation->job;

    if (!job->save_to_identity) {
        return NULL;
    }
    return job->saved_at && job->identity_id
               ? iimg_identity_by_id(context, job->identity_id, &generation->identity)
               : save_now(context, generation);
}

iimg_error_t *iimg_answer_generation(iimg_context_t *context, const char *job_id,
                                     iimg_generation_t *generation)
{
    iimg_error_t *err = iimg_generation_job_by_id(context, job_id, &generation->job);
    const iimg_generation_job_t *job = generation->job;

    generation->identity = NULL;
    if (err) {
        return err;
    }
    if (!job) {
        return iimg_idempotency_gone(context);
    }
    if (strcmp(job->state, "failed") == 0) {
        return failure(context, job);
    }
    if (strcmp(job->state, "canceled") == 0) {
        return was_canceled(context, job);
    }
    if (strcmp(job->state, "succeeded") != 0) {
        return still_runs(context, job);
    }
    if (job->image) {
        return find_identity(context, generation);
    }
    /* It went with the user whom it shows. */
    err = iimg_user_share(context, job->user_id);
    if (err) {
        return err;
    }
    return iimg_idempotency_gone(context);
}
