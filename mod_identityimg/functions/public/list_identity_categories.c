/* list_identity_categories.c - list the categories of all identities, for any user. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_identity_categories(iimg_context_t *context,
                                            apr_array_header_t **categories)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_identity_categories(context, &caller, categories);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_USER);
}
