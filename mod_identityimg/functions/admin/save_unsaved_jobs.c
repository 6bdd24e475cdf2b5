/* save_unsaved_jobs.c - save pictures to their identities for processes that died before they
 * could.
 */
#include "functions/admin/admin.h"

#include "base/log.h"
#include "functions/shared/caller.h"

/* With the rights of the user who requested the picture. */
static iimg_error_t *save_job(iimg_context_t *context, const char *id)
{
    iimg_generation_job_t *job;
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_generation_job_by_id(context, id, &job);

    if (err || !job || !job->requested_by) {
        return err;
    }
    err = iimg_user_login_by_id(context, job->requested_by, &context->login);
    if (err) {
        return err;
    }
    err = iimg_identify_caller(context, IIMG_STAFF);
    if (err) {
        return err;
    }
    return iimg_save_job_to_identity(context, id, true, &identity);
}

void iimg_save_unsaved_jobs(iimg_context_t *context)
{
    apr_array_header_t *ids;
    iimg_error_t *err = iimg_generation_job_unsaved(context, &ids);

    for (int i = 0; !err && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        iimg_error_t *failed;

        iimg_log(context, IIMG_LOG_INFO,
                 "generation %s: saving its picture to the identity for a process that died", id);
        failed = save_job(context, id); /* the next poll retries */
        if (failed) {
            iimg_log(context, IIMG_LOG_INFO, "generation %s: %s", id,
                     failed->detail ? failed->detail : failed->message);
        }
    }
}
