/* caller.c - the caller of a request: their row of users, read with the rows that they may see. */
#include "models/caller.h"

static const iimg_statement_t by_login = IIMG_STATEMENT(
    "iimg_caller_by_login", "SELECT " IIMG_CALLER_COLUMNS " FROM users c WHERE " IIMG_CALLER_IS);

const iimg_caller_t *iimg_caller_of_rows(iimg_context_t *context, const iimg_rows_t *rows)
{
    iimg_caller_t *caller;

    if (rows->count == 0) {
        return NULL;
    }
    caller = apr_palloc(context->pool, sizeof(*caller));
    caller->id = iimg_rows_text(rows, 0, 0);
    caller->is_staff = iimg_rows_bool(rows, 0, 1);
    caller->is_active = iimg_rows_bool(rows, 0, 2);
    caller->credentials_hold = iimg_rows_bool(rows, 0, 3);
    return caller;
}

iimg_error_t *iimg_caller_by_login(iimg_context_t *context, const iimg_caller_t **caller)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &by_login, IIMG_PARAMS(IIMG_CALLER_PARAMS(context)),
                                      &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    return err;
}
