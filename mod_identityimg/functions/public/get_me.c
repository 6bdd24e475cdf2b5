/* get_me.c - read the caller's own row. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_get_me(iimg_context_t *context, iimg_user_t **user)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_user_of_caller(context, &caller, user);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_USER);
}
