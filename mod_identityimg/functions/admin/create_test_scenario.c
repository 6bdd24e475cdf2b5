/* create_test_scenario.c - a new test scenario, with a user who plays it or without. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"

typedef struct creation_t {
    const iimg_scenario_change_t *wanted;
    iimg_scenario_t *scenario;
} creation_t;

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_scenario_t scenario = { .id = NULL };
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (!err) {
        iimg_members_set_text(members, "name", &creation->wanted->name, &scenario.name);
        iimg_members_set_text(members, "user_id", &creation->wanted->user_id, &scenario.user_id);
        creation->scenario = &scenario;
        err = iimg_scenario_insert(context, &creation->scenario);
    }
    if (!err) {
        err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, creation->scenario->id);
    }
    return err ? err
               : iimg_audit(context, "create", "test_scenarios", creation->scenario->id, members);
}

iimg_error_t *iimg_create_test_scenario(iimg_context_t *context,
                                        const iimg_scenario_change_t *wanted,
                                        iimg_scenario_t **scenario)
{
    creation_t creation = { .wanted = wanted };
    iimg_error_t *err = iimg_db_transaction(context, insert_row, &creation);

    *scenario = creation.scenario;
    return err;
}
