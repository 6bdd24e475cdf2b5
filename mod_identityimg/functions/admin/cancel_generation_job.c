/* cancel_generation_job.c - cancel a generation: at once if it is queued, at its next step if it is
 * running. */
#include "functions/admin/admin.h"

#include <stdlib.h>
#include <string.h>
#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

typedef struct cancel_t {
    const char *id;
    iimg_generation_job_t *job;
} cancel_t;

static iimg_error_t *lock_job(iimg_context_t *context, cancel_t *cancel)
{
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (err) {
        return err;
    }
    err = iimg_generation_job_lock(context, cancel->id, &cancel->job);
    if (err) {
        return err;
    }
    if (!cancel->job) {
        return iimg_not_found(context);
    }
    return iimg_check_version(context, atoi(cancel->job->version));
}

static iimg_error_t *has_ended(iimg_context_t *context, const iimg_generation_job_t *job)
{
    return iimg_error_with_code(context->pool, IIMG_CONFLICT, "job_finished",
                                "This generation has already %s.", job->state);
}

static iimg_error_t *cancel_row(iimg_context_t *context, void *baton)
{
    cancel_t *cancel = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_generation_job_t *after;
    iimg_error_t *err = lock_job(context, cancel);

    if (err || strcmp(cancel->job->state, "canceled") == 0) {
        return err; /* canceling it twice is not an error */
    }
    err = iimg_generation_job_cancel(context, cancel->id, &after);
    if (err) {
        return err;
    }
    if (!after) {
        return has_ended(context, cancel->job);
    }
    cancel->job = after;
    iimg_members_add(members, "state");
    return iimg_audit(context, "change", "generation_jobs", cancel->id, members);
}

iimg_error_t *iimg_cancel_generation_job(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job)
{
    cancel_t cancel = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, cancel_row, &cancel);

    *job = cancel.job;
    return err;
}
