/* user.c - users: rows of users. */
#include "models/user.h"

#include "models/query.h"

#define IIMG_ROW iimg_user_t
#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "c.id") \
    NEXT(email, TEXT, "c.email") \
    NEXT(first_name, TEXT, "c.first_name") \
    NEXT(last_name, TEXT, "c.last_name") \
    NEXT(is_staff, BOOL, "c.is_staff")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t user_type = IIMG_ROW_TYPE(columns);

static const iimg_statement_t of_caller = IIMG_STATEMENT(
    "iimg_user_of_caller",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c WHERE " IIMG_CALLER_IS);

static const iimg_statement_t password_by_email = IIMG_STATEMENT(
    "iimg_user_password_by_email",
    "SELECT password, is_active FROM users WHERE lower(email) = lower($1::text)");

static const iimg_statement_t login_by_id = IIMG_STATEMENT(
    "iimg_user_login_by_id", "SELECT email FROM users WHERE id = $1::uuid AND is_active");

static const iimg_statement_t rehash = IIMG_STATEMENT(
    "iimg_user_rehash",
    "UPDATE users SET password = $3::text WHERE id = $1::uuid AND password = $2::text");

static const iimg_statement_t lock = IIMG_STATEMENT(
    "iimg_user_lock", "SELECT id FROM users WHERE id = $1::uuid FOR NO KEY UPDATE");

static const iimg_statement_t share = IIMG_STATEMENT(
    "iimg_user_share", "SELECT id FROM users WHERE id = $1::uuid FOR KEY SHARE");

iimg_error_t *iimg_user_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                  iimg_user_t **user)
{
    return iimg_query_one_for_caller(context, &user_type, &of_caller,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context)), caller, user);
}

iimg_error_t *iimg_user_password_by_email(iimg_context_t *context, const char *email,
                                          const char **hash, bool *active)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &password_by_email, IIMG_PARAMS(email), &rows);

    *hash = NULL;
    *active = false;
    if (!err && rows->count) {
        *hash = iimg_rows_text(rows, 0, 0);
        *active = iimg_rows_bool(rows, 0, 1);
    }
    return err;
}

iimg_error_t *iimg_user_login_by_id(iimg_context_t *context, const char *id, const char **email)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &login_by_id, IIMG_PARAMS(id), &rows);

    *email = !err && rows->count ? iimg_rows_text(rows, 0, 0) : NULL;
    return err;
}

iimg_error_t *iimg_user_rehash(iimg_context_t *context, const char *id, const char *hash,
                               const char *better, bool *done)
{
    return iimg_query_change_one(context, &rehash, IIMG_PARAMS(id, hash, better), done);
}

iimg_error_t *iimg_user_not_found(iimg_context_t *context, const char *id)
{
    return iimg_error(context->pool, IIMG_NOT_FOUND, "User %s not found", id);
}

iimg_error_t *iimg_user_lock(iimg_context_t *context, const char *id, bool *found)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &lock, IIMG_PARAMS(id), &rows);

    *found = !err && rows->count > 0;
    return err;
}

iimg_error_t *iimg_user_share(iimg_context_t *context, const char *id)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &share, IIMG_PARAMS(id), &rows);

    if (err) {
        return err;
    }
    if (rows->count == 0) {
        return iimg_error_with_code(context->pool, IIMG_CONFLICT, "user_deleted",
                                    "The user whose photos these are has been deleted.");
    }
    return NULL;
}
