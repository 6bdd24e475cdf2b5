/* account.c - users as staff see them: rows of users. */
#include "models/account.h"

#include <string.h>

#define COLUMNS \
    "u.id, u.email, u.first_name, u.last_name, u.is_staff, u.is_active, u.password <> '', " \
    "u.created_at, u.version"

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_account_list",
    "SELECT " IIMG_CALLER_COLUMNS ", u.page_key, " COLUMNS
    "  FROM users c LEFT JOIN LATERAL ("
    "    SELECT u.*, " IIMG_PAGE_KEY("u") " FROM users u"
    "     WHERE c.is_staff AND " IIMG_PAGE_BEHIND("u")
    "       AND " IIMG_PAGE_MATCHES("u.email, u.first_name, u.last_name")
    "       AND ($7::boolean IS NULL OR u.is_staff = $7::boolean)"
    "       AND ($8::boolean IS NULL OR u.is_active = $8::boolean)"
    IIMG_PAGE_END("u") ") u ON true"
    " WHERE " IIMG_CALLER_IS IIMG_PAGE_ORDER("u"));

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_account_by_id",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN users u ON c.is_staff AND u.id = $3::uuid WHERE " IIMG_CALLER_IS);

static const iimg_statement_t lock = IIMG_STATEMENT(
    "iimg_account_lock",
    "SELECT " COLUMNS " FROM users u WHERE u.id IN ($1::uuid, $2::uuid)"
    " ORDER BY u.id FOR NO KEY UPDATE");

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_account_insert",
    "INSERT INTO users AS u (password, email, first_name, last_name, is_staff, is_active)"
    " VALUES ($1::text, $2::text, $3::text, $4::text, $5::boolean, $6::boolean)"
    " RETURNING " COLUMNS);

static const iimg_statement_t update = IIMG_STATEMENT(
    "iimg_account_update",
    "UPDATE users AS u"
    "   SET password = coalesce($1::text, password), email = $2::text, first_name = $3::text,"
    "       last_name = $4::text, is_staff = $5::boolean, is_active = $6::boolean"
    " WHERE id = $7::uuid RETURNING " COLUMNS);

static const iimg_statement_t delete_row = IIMG_STATEMENT(
    "iimg_account_delete", "DELETE FROM users WHERE id = $1::uuid");

static void take_row(const iimg_rows_t *rows, int row, int from, iimg_account_t *account)
{
    account->user.id = iimg_rows_text(rows, row, from);
    account->user.email = iimg_rows_text(rows, row, from + 1);
    account->user.first_name = iimg_rows_text(rows, row, from + 2);
    account->user.last_name = iimg_rows_text(rows, row, from + 3);
    account->user.is_staff = iimg_rows_bool(rows, row, from + 4);
    account->is_active = iimg_rows_bool(rows, row, from + 5);
    account->has_password = iimg_rows_bool(rows, row, from + 6);
    account->created_at = iimg_rows_text(rows, row, from + 7);
    account->version = (int)iimg_rows_integer(rows, row, from + 8);
}

/* Rows from column `from` on; those without an id are the empty side of an outer join. */
static apr_array_header_t *take_rows(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *accounts = apr_array_make(pool, rows->count + 1, sizeof(iimg_account_t));

    for (int row = 0; row < rows->count; row++) {
        if (iimg_rows_text(rows, row, from)) {
            take_row(rows, row, from, apr_array_push(accounts));
        }
    }
    return accounts;
}

static iimg_account_t *first_of(const apr_array_header_t *accounts)
{
    return accounts->nelts ? &APR_ARRAY_IDX(accounts, 0, iimg_account_t) : NULL;
}

iimg_error_t *iimg_account_list(iimg_context_t *context, iimg_page_t *page,
                                const iimg_account_filter_t *filter, const iimg_caller_t **caller,
                                apr_array_header_t **accounts)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &list,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->is_staff, filter->is_active), &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *accounts = take_rows(context->pool, rows, IIMG_PAGE_WIDTH);
    iimg_page_close(page, rows, *accounts);
    return NULL;
}

iimg_error_t *iimg_account_by_id(iimg_context_t *context, const char *id,
                                 const iimg_caller_t **caller, iimg_account_t **account)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &by_id, IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id),
                                      &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *account = first_of(take_rows(context->pool, rows, IIMG_CALLER_WIDTH));
    return NULL;
}

iimg_error_t *iimg_account_lock(iimg_context_t *context, const char *id, const char *changed_by,
                                iimg_account_t **account)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &lock, IIMG_PARAMS(id, changed_by), &rows);
    apr_array_header_t *accounts = err ? NULL : take_rows(context->pool, rows, 0);

    *account = NULL;
    for (int i = 0; !err && i < accounts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(accounts, i, iimg_account_t).user.id, id) == 0) {
            *account = &APR_ARRAY_IDX(accounts, i, iimg_account_t);
        }
    }
    return err;
}

static iimg_error_t *write_row(iimg_context_t *context, const iimg_statement_t *statement,
                               int count, const char *const *params, iimg_account_t **account)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    if (err && err->constraint && strcmp(err->constraint, "users_email_ci") == 0) {
        err = iimg_error(context->pool, IIMG_INVALID, "A user with this email exists already.");
        return iimg_error_code(iimg_error_field(err, "email"), "email_in_use");
    }
    *account = err ? NULL : first_of(take_rows(context->pool, rows, 0));
    return err;
}

iimg_error_t *iimg_account_insert(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account)
{
    const iimg_user_t *user = &(*account)->user;

    return write_row(context, &insert,
                     IIMG_PARAMS(hash, user->email, user->first_name, user->last_name,
                                 user->is_staff ? "t" : "f", (*account)->is_active ? "t" : "f"),
                     account);
}

iimg_error_t *iimg_account_update(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account)
{
    const iimg_user_t *user = &(*account)->user;

    return write_row(context, &update,
                     IIMG_PARAMS(hash, user->email, user->first_name, user->last_name,
                                 user->is_staff ? "t" : "f", (*account)->is_active ? "t" : "f",
                                 user->id),
                     account);
}

iimg_error_t *iimg_account_delete(iimg_context_t *context, const char *id, bool *found)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &delete_row, IIMG_PARAMS(id), &rows);

    *found = !err && rows->affected > 0;
    return err;
}
