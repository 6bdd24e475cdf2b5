/* list_my_identities.c - list the caller's identities. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_my_identities(iimg_context_t *context, apr_array_header_t **identities)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_identity_list_of_caller(context, &caller, identities);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_USER);
}
