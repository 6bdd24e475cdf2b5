/* save_left.c - pictures that were to be saved to their identities by a process that died over it.
 */
#include "functions/admin/admin.h"

#include "base/log.h"
#include "functions/shared/caller.h"

/* In the name of who asked for it. */
static iimg_error_t *save_one(iimg_context_t *context, const char *id)
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

void iimg_save_left(iimg_context_t *context)
{
    apr_array_header_t *ids;
    iimg_error_t *err = iimg_generation_job_unsaved(context, &ids);

    for (int i = 0; !err && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        iimg_error_t *failed;

        iimg_log(context, IIMG_LOG_INFO,
                 "generation %s: its picture is saved to the identity, which "
                 "another process did not come to",
                 id);
        failed = save_one(context, id); /* again at the next look */
        if (failed) {
            iimg_log(context, IIMG_LOG_INFO, "generation %s: %s", id,
                     failed->detail ? failed->detail : failed->message);
        }
    }
}
