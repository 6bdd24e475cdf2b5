/* answer_generation.c - build the response for a finished generation job. */
#include "functions/admin/admin.h"

#include <string.h>
#include <apr_strings.h>
#include "functions/shared/idempotency.h"

/* The row of a failed job has the HTTP status of its error. */
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
    return IIMG_UPSTREAM; /* rows of earlier versions have no status */
}

static iimg_error_t *job_failed(iimg_context_t *context, const iimg_generation_job_t *job)
{
    iimg_error_t *err = iimg_error(context->pool, kind_of(job->error_status), "%s",
                                   job->error_detail ? job->error_detail
                                                     : "The generation failed.");

    err->code = job->error_code;
    err->retry_after = job->error_retry_after;
    return iimg_error_detail(err, "generation %s: %s", job->id, err->message);
}

static iimg_error_t *job_canceled(iimg_context_t *context, const iimg_generation_job_t *job)
{
    if (!job->image) {
        return iimg_error_with_code(context->pool, IIMG_CONFLICT, "generation_canceled",
                                    "The generation was canceled.");
    }
    return iimg_error_with_code(context->pool, IIMG_CONFLICT, "generation_canceled",
                                "The generation was canceled after the provider had been called. "
                                "Its picture is stored with job %s.",
                                job->id);
}

static iimg_error_t *job_unfinished(iimg_context_t *context, const iimg_generation_job_t *job)
{
    return iimg_error_with_code(
        context->pool, IIMG_BUSY, "generation_unfinished",
        "The picture is not ready yet, and this request cannot wait longer. "
        "It will be stored with job %s.",
        job->id);
}

/* The picture stays with its job, whatever fails here; the error says so. */
static iimg_error_t *save_to_identity(iimg_context_t *context, iimg_generation_t *generation)
{
    const iimg_generation_job_t *job = generation->job;
    iimg_error_t *err = iimg_save_job_to_identity(context, job->id, true, &generation->identity);

    if (err) {
        err->message = apr_psprintf(context->pool,
                                    "The picture was generated and is stored with job %s, but "
                                    "could not be saved to the identity: %s",
                                    job->id, err->message);
    }
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
               : save_to_identity(context, generation);
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
        return job_failed(context, job);
    }
    if (strcmp(job->state, "canceled") == 0) {
        return job_canceled(context, job);
    }
    if (strcmp(job->state, "succeeded") != 0) {
        return job_unfinished(context, job);
    }
    if (job->image) {
        return find_identity(context, generation);
    }
    /* The picture was deleted with the user it shows. */
    err = iimg_user_share(context, job->user_id);
    if (err) {
        return err;
    }
    return iimg_idempotency_gone(context);
}
