/* account.c - users with the members that only staff see: rows of users. */
#include "models/account.h"

#include <string.h>
#include "models/query.h"

#define IIMG_ROW iimg_account_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(user.id, TEXT, "u.id") \
    NEXT(user.email, TEXT, "u.email") \
    NEXT(user.first_name, TEXT, "u.first_name") \
    NEXT(user.last_name, TEXT, "u.last_name") \
    NEXT(user.is_staff, BOOL, "u.is_staff") \
    NEXT(is_active, BOOL, "u.is_active") \
    NEXT(has_password, BOOL, "u.password <> ''") \
    NEXT(created_at, TEXT, "u.created_at") \
    NEXT(version, INTEGER, "u.version")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t account_type = IIMG_ROW_TYPE(columns);

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

iimg_error_t *iimg_account_list(iimg_context_t *context, iimg_page_t *page,
                                const iimg_account_filter_t *filter, const iimg_caller_t **caller,
                                apr_array_header_t **accounts)
{
    return iimg_query_page(
        context, &account_type, &list,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->is_staff, filter->is_active), page,
        caller, accounts);
}

iimg_error_t *iimg_account_by_id(iimg_context_t *context, const char *id,
                                 const iimg_caller_t **caller, iimg_account_t **account)
{
    return iimg_query_one_for_caller(context, &account_type, &by_id,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller, account);
}

iimg_error_t *iimg_account_lock(iimg_context_t *context, const char *id, const char *changed_by,
                                iimg_account_t **account)
{
    apr_array_header_t *accounts;
    iimg_error_t *err = iimg_query_list(context, &account_type, &lock, IIMG_PARAMS(id, changed_by),
                                        &accounts);

    *account = NULL;
    if (err) {
        return err;
    }
    for (int i = 0; i < accounts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(accounts, i, iimg_account_t).user.id, id) == 0) {
            *account = &APR_ARRAY_IDX(accounts, i, iimg_account_t);
        }
    }
    return NULL;
}

static iimg_error_t *write_row(iimg_context_t *context, const iimg_statement_t *statement,
                               int count, const char *const *params, iimg_account_t **account)
{
    iimg_error_t *err = iimg_query_one(context, &account_type, statement, count, params, account);

    if (!iimg_query_violates(err, "users_email_ci")) {
        return err;
    }
    return iimg_error_invalid_field(context->pool, "email", "email_in_use",
                                    "A user with this email exists already.");
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
    return iimg_query_change_one(context, &delete_row, IIMG_PARAMS(id), found);
}
