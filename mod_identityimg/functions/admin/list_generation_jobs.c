/* list_generation_jobs.c - list a page of generations, the newest first. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_generation_jobs(iimg_context_t *context, iimg_page_t *page,
                                        const iimg_generation_job_filter_t *filter,
                                        apr_array_header_t **jobs)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_generation_job_list(context, page, filter, &caller, jobs);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_STAFF);
}
