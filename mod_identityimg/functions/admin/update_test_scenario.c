/* update_test_scenario.c - change a test scenario's name, or who plays it. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

typedef struct update_t {
    const char *id;
    const iimg_scenario_change_t *wanted;
    iimg_scenario_t *scenario;
} update_t;

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    update_t *update = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        err = iimg_scenario_lock(context, update->id, &update->scenario);
    }
    if (!err && !update->scenario) {
        err = iimg_not_found(context);
    }
    if (!err) {
        err = iimg_check_version(context, update->scenario->version);
    }
    if (err) {
        return err;
    }
    iimg_members_set_text(members, "name", &update->wanted->name, &update->scenario->name);
    iimg_members_set_text(members, "user_id", &update->wanted->user_id, &update->scenario->user_id);
    if (!members->nelts) {
        return NULL;
    }
    err = iimg_scenario_update(context, &update->scenario);
    return err ? err : iimg_audit(context, "change", "test_scenarios", update->id, members);
}

iimg_error_t *iimg_update_test_scenario(iimg_context_t *context, const char *id,
                                        const iimg_scenario_change_t *wanted,
                                        iimg_scenario_t **scenario)
{
    update_t update = { .id = id, .wanted = wanted };
    iimg_error_t *err = iimg_db_transaction(context, update_row, &update);

    *scenario = update.scenario;
    return err;
}
