/* test_scenario.c - test scenarios and the users who play them. */
#include "models/test_scenario.h"

#include <string.h>

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_test_scenario_list",
    "SELECT " IIMG_CALLER_COLUMNS
    ", t.name, u.id, u.email, u.first_name, u.last_name, u.is_staff"
    "  FROM users c"
    "  LEFT JOIN (test_scenarios t JOIN users u ON u.id = t.user_id) ON c.is_staff"
    " WHERE " IIMG_CALLER_IS
    " ORDER BY t.name, t.id");

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

/* What staff keep ------------------------------------------------------------------------------ */

#define COLUMNS   "t.id, t.name, t.user_id, t.created_at, u.email, t.version"
#define WITH_USER " LEFT JOIN users u ON u.id = t.user_id"

static const iimg_statement_t all = IIMG_STATEMENT(
    "iimg_scenario_list",
    "SELECT " IIMG_CALLER_COLUMNS ", t.page_key, " COLUMNS
    "  FROM users c LEFT JOIN LATERAL ("
    "    SELECT t.*, " IIMG_PAGE_KEY("t") " FROM test_scenarios t" WITH_USER
    "     WHERE c.is_staff AND " IIMG_PAGE_BEHIND("t")
    "       AND " IIMG_PAGE_MATCHES("t.name, u.email")
    IIMG_PAGE_END("t") ") t ON true" WITH_USER
    " WHERE " IIMG_CALLER_IS IIMG_PAGE_ORDER("t"));

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_scenario_by_id",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN test_scenarios t ON c.is_staff AND t.id = $3::uuid" WITH_USER
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t lock = IIMG_STATEMENT(
    "iimg_scenario_lock",
    "SELECT " COLUMNS " FROM test_scenarios t" WITH_USER " WHERE t.id = $1::uuid"
    " FOR NO KEY UPDATE OF t");

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_scenario_insert",
    "WITH t AS (INSERT INTO test_scenarios (name, user_id) VALUES ($1::text, $2::uuid)"
    "           RETURNING *)"
    " SELECT " COLUMNS " FROM t" WITH_USER);

static const iimg_statement_t update = IIMG_STATEMENT(
    "iimg_scenario_update",
    "WITH t AS (UPDATE test_scenarios SET name = $1::text, user_id = $2::uuid"
    "            WHERE id = $3::uuid RETURNING *)"
    " SELECT " COLUMNS " FROM t" WITH_USER);

static const iimg_statement_t delete_row = IIMG_STATEMENT(
    "iimg_scenario_delete", "DELETE FROM test_scenarios WHERE id = $1::uuid");

/* Rows from column `from` on; those without an id are the empty side of an outer join. */
static apr_array_header_t *take_scenarios(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *scenarios = apr_array_make(pool, rows->count + 1, sizeof(iimg_scenario_t));

    for (int row = 0; row < rows->count; row++) {
        if (iimg_rows_text(rows, row, from)) {
            *(iimg_scenario_t *)apr_array_push(scenarios) = (iimg_scenario_t){
                .id = iimg_rows_text(rows, row, from),
                .name = iimg_rows_text(rows, row, from + 1),
                .user_id = iimg_rows_text(rows, row, from + 2),
                .created_at = iimg_rows_text(rows, row, from + 3),
                .user_email = iimg_rows_text(rows, row, from + 4),
                .version = (int)iimg_rows_integer(rows, row, from + 5),
            };
        }
    }
    return scenarios;
}

static iimg_scenario_t *first_of(const apr_array_header_t *scenarios)
{
    return scenarios->nelts ? &APR_ARRAY_IDX(scenarios, 0, iimg_scenario_t) : NULL;
}

iimg_error_t *iimg_scenario_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_caller_t **caller, apr_array_header_t **scenarios)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &all, IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page)),
                                      &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *scenarios = take_scenarios(context->pool, rows, IIMG_PAGE_WIDTH);
    iimg_page_close(page, rows, *scenarios);
    return NULL;
}

iimg_error_t *iimg_scenario_by_id(iimg_context_t *context, const char *id,
                                  const iimg_caller_t **caller, iimg_scenario_t **scenario)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &by_id, IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id),
                                      &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *scenario = first_of(take_scenarios(context->pool, rows, IIMG_CALLER_WIDTH));
    return NULL;
}

/* A row for what was asked; a user who is not there is the client's to know. */
static iimg_error_t *one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, iimg_scenario_t **scenario)
{
    iimg_rows_t *rows;
    const char *user_id = *scenario ? (*scenario)->user_id : NULL;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    if (err && err->constraint && strcmp(err->constraint, "test_scenarios_user_id_fkey") == 0) {
        err = iimg_user_not_found(context, user_id);
    }
    *scenario = err ? NULL : first_of(take_scenarios(context->pool, rows, 0));
    return err;
}

iimg_error_t *iimg_scenario_lock(iimg_context_t *context, const char *id,
                                 iimg_scenario_t **scenario)
{
    *scenario = NULL;
    return one(context, &lock, IIMG_PARAMS(id), scenario);
}

iimg_error_t *iimg_scenario_insert(iimg_context_t *context, iimg_scenario_t **scenario)
{
    const iimg_scenario_t *s = *scenario;

    return one(context, &insert, IIMG_PARAMS(s->name, s->user_id), scenario);
}

iimg_error_t *iimg_scenario_update(iimg_context_t *context, iimg_scenario_t **scenario)
{
    const iimg_scenario_t *s = *scenario;

    return one(context, &update, IIMG_PARAMS(s->name, s->user_id, s->id), scenario);
}

iimg_error_t *iimg_scenario_delete(iimg_context_t *context, const char *id, bool *found)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &delete_row, IIMG_PARAMS(id), &rows);

    *found = !err && rows->affected > 0;
    return err;
}
