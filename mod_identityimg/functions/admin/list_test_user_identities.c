/* list_test_user_identities.c - list the identities of a test scenario's user. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_list_test_user_identities(iimg_context_t *context, const char *user_id,
                                             apr_array_header_t **identities)
{
    const iimg_caller_t *caller;
    bool found;
    iimg_error_t *err = iimg_identity_list_of_test_user(context, user_id, &caller, &found,
                                                        identities);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    return found ? NULL : iimg_not_found(context);
}
