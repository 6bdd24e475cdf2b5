/* list_users.c - a page of users, the newest first. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_users(iimg_context_t *context, iimg_page_t *page,
                              const iimg_account_filter_t *filter, apr_array_header_t **accounts)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_account_list(context, page, filter, &caller, accounts);

    return err ? err : iimg_accept_caller(context, caller, IIMG_STAFF);
}
