/* test_scenario.c - test scenarios and the users who play them. */
#include "models/test_scenario.h"

static const iimg_statement_t list = {
    "iimg_test_scenario_list",
    "SELECT " IIMG_CALLER_COLUMNS
    ", t.name, u.id, u.email, u.first_name, u.last_name, u.is_staff"
    "  FROM users c"
    "  LEFT JOIN (test_scenarios t JOIN users u ON u.id = t.user_id) ON c.is_staff"
    " WHERE " IIMG_CALLER_IS
    " ORDER BY t.name, t.id"
};

static void take_row(const iimg_rows_t *rows, int row, iimg_test_scenario_t *scenario)
{
    scenario->name = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH);
    scenario->user.id = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH + 1);
    scenario->user.email = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH + 2);
    scenario->user.first_name = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH + 3);
    scenario->user.last_name = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH + 4);
    scenario->user.is_staff = iimg_rows_bool(rows, row, IIMG_CALLER_WIDTH + 5);
}

iimg_error_t *iimg_test_scenario_list(iimg_context_t *context, const iimg_caller_t **caller,
                                      apr_array_header_t **scenarios)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &list, IIMG_PARAMS(IIMG_CALLER_PARAMS(context)),
                                      &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *scenarios = apr_array_make(context->pool, 8, sizeof(iimg_test_scenario_t));
    for (int row = 0; !err && row < rows->count; row++) {
        if (iimg_rows_text(rows, row, IIMG_CALLER_WIDTH + 1)) {
            take_row(rows, row, apr_array_push(*scenarios));
        }
    }
    return err;
}
