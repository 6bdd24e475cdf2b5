/* list_identities.c - a page of all identities, the newest first. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_identities(iimg_context_t *context, iimg_page_t *page,
                                   const iimg_identity_filter_t *filter,
                                   apr_array_header_t **identities)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_identity_list(context, page, filter, &caller, identities);

    return err ? err : iimg_accept_caller(context, caller, IIMG_STAFF);
}
