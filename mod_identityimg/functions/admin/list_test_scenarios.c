/* list_test_scenarios.c - a page of all test scenarios, the newest first. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_test_scenarios(iimg_context_t *context, iimg_page_t *page,
                                       apr_array_header_t **scenarios)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_scenario_list(context, page, &caller, scenarios);

    return err ? err : iimg_accept_caller(context, caller, IIMG_STAFF);
}
