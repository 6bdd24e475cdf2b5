/* test_scenario_resource.c - test scenarios, for staff. Deleting one keeps its user. */
#include "functions/admin/resource.h"

#include "functions/shared/members.h"

static iimg_error_t *list_scenarios(iimg_context_t *context, iimg_page_t *page,
                                    const iimg_row_filter_t *filter, const iimg_caller_t **caller,
                                    apr_array_header_t **rows)
{
    (void)filter;
    return iimg_scenario_list(context, page, caller, rows);
}

static iimg_error_t *find_scenario(iimg_context_t *context, const char *id,
                                   const iimg_caller_t **caller, iimg_row_t *row)
{
    return iimg_scenario_by_id(context, id, caller, &row->test_scenario);
}

static iimg_error_t *lock_scenario(iimg_context_t *context, const char *id, iimg_row_t *row)
{
    return iimg_scenario_lock(context, id, &row->test_scenario);
}

static void set_members(const iimg_scenario_change_t *change, apr_array_header_t *members,
                        iimg_scenario_t *scenario)
{
    iimg_members_set_text(members, "name", &change->name, &scenario->name);
    iimg_members_set_text(members, "user_id", &change->user_id, &scenario->user_id);
}

static iimg_error_t *insert_scenario(iimg_context_t *context, const iimg_row_change_t *change,
                                     apr_array_header_t *members, iimg_row_t *row)
{
    iimg_scenario_t draft = { .id = NULL };
    iimg_scenario_t *scenario = &draft;
    iimg_error_t *err;

    set_members(&change->test_scenario, members, scenario);
    err = iimg_scenario_insert(context, &scenario);
    row->test_scenario = scenario;
    return err;
}

static iimg_error_t *update_scenario(iimg_context_t *context, const iimg_row_change_t *change,
                                     apr_array_header_t *members, iimg_row_t *row)
{
    set_members(&change->test_scenario, members, row->test_scenario);
    return members->nelts ? iimg_scenario_update(context, &row->test_scenario) : NULL;
}

const iimg_resource_t iimg_test_scenario_resource = {
    .table = "test_scenarios",
    .id = offsetof(iimg_scenario_t, id),
    .version = offsetof(iimg_scenario_t, version),
    .list = list_scenarios,
    .find = find_scenario,
    .create = iimg_create_row,
    .change = iimg_update_row,
    .delete = iimg_delete_row,
    .lock = lock_scenario,
    .insert = insert_scenario,
    .update = update_scenario,
    .remove = iimg_scenario_delete,
};
