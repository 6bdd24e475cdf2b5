/* get_user.c - one user. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_user(iimg_context_t *context, const char *id, iimg_account_t **account)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_account_by_id(context, id, &caller, account);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_STAFF);
    }
    return !err && !*account ? iimg_not_found(context) : err;
}
