/* list_test_users.c - list test scenarios that have a user. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_test_users(iimg_context_t *context, apr_array_header_t **scenarios)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_test_scenario_list(context, &caller, scenarios);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_STAFF);
}
