/* get_generation_job.c - read one generation. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_generation_job(iimg_context_t *context, const char *id,
                                      iimg_generation_job_t **job)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_generation_job_for_staff(context, id, &caller, job);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    return *job ? NULL : iimg_not_found(context);
}
