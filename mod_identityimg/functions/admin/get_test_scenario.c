/* get_test_scenario.c - one test scenario. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_test_scenario(iimg_context_t *context, const char *id,
                                     iimg_scenario_t **scenario)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_scenario_by_id(context, id, &caller, scenario);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_STAFF);
    }
    return !err && !*scenario ? iimg_not_found(context) : err;
}
