/* delete_test_scenario.c - remove a test scenario; its user stays. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    const char *id = baton;
    iimg_scenario_t *scenario = NULL;
    bool found = false;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_scenario_lock(context, id, &scenario);
    }
    if (!err && !scenario) {
        err = iimg_not_found(context);
    }
    if (!err) {
        err = iimg_check_version(context, scenario->version);
    }
    if (!err) {
        err = iimg_scenario_delete(context, id, &found);
    }
    return err ? err : iimg_audit(context, "delete", "test_scenarios", id, NULL);
}

iimg_error_t *iimg_delete_test_scenario(iimg_context_t *context, const char *id)
{
    return iimg_db_transaction(context, delete_row, (void *)id);
}
