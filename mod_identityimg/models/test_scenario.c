/* test_scenario.c - test scenarios and their users: rows of test_scenarios. */
#include "models/test_scenario.h"

#include "models/query.h"

/* Users with a scenario ----------------------------------------------------------------------- */

#define IIMG_ROW iimg_test_scenario_t
#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(name, TEXT, "t.name") \
    NEXT(user.id, TEXT, "u.id") \
    NEXT(user.email, TEXT, "u.email") \
    NEXT(user.first_name, TEXT, "u.first_name") \
    NEXT(user.last_name, TEXT, "u.last_name") \
    NEXT(user.is_staff, BOOL, "u.is_staff")

static const iimg_column_t test_columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t test_scenario_type = IIMG_ROW_TYPE(test_columns);

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_test_scenario_list",
    "SELECT " IIMG_CALLER_COLUMNS ", " EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)
    "  FROM users c"
    "  LEFT JOIN (test_scenarios t JOIN users u ON u.id = t.user_id) ON c.is_staff"
    " WHERE " IIMG_CALLER_IS
    " ORDER BY t.name, t.id");

#undef IIMG_ROW
#undef EACH_COLUMN

iimg_error_t *iimg_test_scenario_list(iimg_context_t *context, const iimg_caller_t **caller,
                                      apr_array_header_t **scenarios)
{
    return iimg_query_list_for_caller(context, &test_scenario_type, &list,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context)), caller, scenarios);
}

/* For staff ------------------------------------------------------------------------------------ */

#define IIMG_ROW iimg_scenario_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "t.id") \
    NEXT(name, TEXT, "t.name") \
    NEXT(user_id, TEXT, "t.user_id") \
    NEXT(user_email, TEXT, "u.email") \
    NEXT(created_at, TEXT, "t.created_at") \
    NEXT(version, INTEGER, "t.version")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t scenario_type = IIMG_ROW_TYPE(columns);

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

iimg_error_t *iimg_scenario_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_caller_t **caller, apr_array_header_t **scenarios)
{
    return iimg_query_page(context, &scenario_type, &all,
                           IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page)), page, caller, scenarios);
}

iimg_error_t *iimg_scenario_by_id(iimg_context_t *context, const char *id,
                                  const iimg_caller_t **caller, iimg_scenario_t **scenario)
{
    return iimg_query_one_for_caller(context, &scenario_type, &by_id,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller,
                                     scenario);
}

/* An unknown user is an error of the client, not of the server. */
static iimg_error_t *write_row(iimg_context_t *context, const iimg_statement_t *statement,
                               int count, const char *const *params, iimg_scenario_t **scenario)
{
    const char *user_id = *scenario ? (*scenario)->user_id : NULL;
    iimg_error_t *err = iimg_query_one(context, &scenario_type, statement, count, params, scenario);

    return iimg_query_violates(err, "test_scenarios_user_id_fkey")
               ? iimg_user_not_found(context, user_id)
               : err;
}

iimg_error_t *iimg_scenario_lock(iimg_context_t *context, const char *id,
                                 iimg_scenario_t **scenario)
{
    return iimg_query_one(context, &scenario_type, &lock, IIMG_PARAMS(id), scenario);
}

iimg_error_t *iimg_scenario_insert(iimg_context_t *context, iimg_scenario_t **scenario)
{
    const iimg_scenario_t *s = *scenario;

    return write_row(context, &insert, IIMG_PARAMS(s->name, s->user_id), scenario);
}

iimg_error_t *iimg_scenario_update(iimg_context_t *context, iimg_scenario_t **scenario)
{
    const iimg_scenario_t *s = *scenario;

    return write_row(context, &update, IIMG_PARAMS(s->name, s->user_id, s->id), scenario);
}

iimg_error_t *iimg_scenario_delete(iimg_context_t *context, const char *id, bool *found)
{
    return iimg_query_change_one(context, &delete_row, IIMG_PARAMS(id), found);
}
