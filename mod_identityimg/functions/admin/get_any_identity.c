/* get_any_identity.c - one identity, whosever. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_any_identity(iimg_context_t *context, const char *id,
                                    iimg_identity_t **identity)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_identity_for_staff(context, id, &caller, identity);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_STAFF);
    }
    return !err && !*identity ? iimg_not_found(context) : err;
}
