/* token.c - sessions and bearer tokens: rows of auth_tokens, stored by the token's hash. */
#include "models/token.h"

#include <apr_strings.h>
#include "models/query.h"

#define IIMG_ROW iimg_token_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "t.id") \
    NEXT(kind, TEXT, "t.kind") \
    NEXT(created_at, TEXT, "t.created_at") \
    NEXT(last_used_at, TEXT, "t.last_used_at") \
    NEXT(expires_at, TEXT, "t.expires_at") \
    NEXT(is_current, BOOL, "t.hash = $3::text")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t token_type = IIMG_ROW_TYPE(columns);

static const iimg_statement_t use = IIMG_STATEMENT(
    "iimg_token_use",
    "WITH used AS ("
    "    UPDATE auth_tokens SET last_used_at = now()"
    "     WHERE hash = $1::text AND kind = $2::text AND expires_at > now()"
    "       AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute'))"
    " SELECT u.email, u.token_epoch, u.is_active,"
    "        least(floor(extract(epoch FROM t.expires_at - now())), 1000000)::integer"
    "   FROM auth_tokens t JOIN users u ON u.id = t.user_id"
    "  WHERE t.hash = $1::text AND t.kind = $2::text AND t.expires_at > now()");

/* Locks the user's row. A concurrent change of the password is either visible here, or its trigger
 * sees this token. Two concurrent logins of a user do not delete the same old tokens. */
static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_token_insert",
    "WITH u AS (SELECT id FROM users WHERE id = $1::uuid AND password = $2::text AND is_active"
    "              FOR NO KEY UPDATE)"
    " INSERT INTO auth_tokens (user_id, hash, kind, expires_at)"
    " SELECT id, $3::text, $4::text, now() + make_interval(secs => $5::integer) FROM u"
    " RETURNING expires_at, id");

static const iimg_statement_t trim = IIMG_STATEMENT(
    "iimg_token_trim",
    "DELETE FROM auth_tokens WHERE id IN ("
    "    SELECT id FROM auth_tokens WHERE user_id = $1::uuid AND hash <> $2::text"
    "     ORDER BY expires_at <= now(), kind, created_at DESC OFFSET $3::integer - 1)");

static const iimg_statement_t list_of_caller = IIMG_STATEMENT(
    "iimg_token_list_of_caller",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN auth_tokens t ON t.user_id = c.id AND t.expires_at > now()"
    " WHERE " IIMG_CALLER_IS " ORDER BY t.created_at DESC, t.id");

static const iimg_statement_t delete_one = IIMG_STATEMENT(
    "iimg_token_delete",
    "DELETE FROM auth_tokens"
    " WHERE id = $1::uuid AND user_id = $2::uuid AND expires_at > now()"
    " RETURNING id, kind, hash");

static const iimg_statement_t delete_by_hash = IIMG_STATEMENT(
    "iimg_token_delete_by_hash", "DELETE FROM auth_tokens WHERE hash = $1::text AND user_id = $2::uuid RETURNING id, kind, hash");

static const iimg_statement_t expire = IIMG_STATEMENT(
    "iimg_token_expire",
    "DELETE FROM auth_tokens"
    " WHERE id IN (SELECT id FROM auth_tokens WHERE expires_at <= now() LIMIT 10000"
    "               FOR UPDATE SKIP LOCKED)");

iimg_error_t *iimg_token_use(iimg_context_t *context, const char *hash, const char *kind,
                             iimg_token_owner_t *owner)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &use, IIMG_PARAMS(hash, kind), &rows);

    owner->email = NULL;
    if (err || rows->count == 0) {
        return err;
    }
    owner->email = iimg_rows_text(rows, 0, 0);
    owner->epoch = iimg_rows_text(rows, 0, 1);
    owner->is_active = iimg_rows_bool(rows, 0, 2);
    owner->seconds = (int)iimg_rows_integer(rows, 0, 3);
    return NULL;
}

iimg_error_t *iimg_token_insert(iimg_context_t *context, const iimg_new_token_t *wanted,
                                const char **expires_at, const char **id)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &insert,
                                      IIMG_PARAMS(wanted->user_id, wanted->password, wanted->hash,
                                                  wanted->kind,
                                                  apr_itoa(context->pool, wanted->seconds)),
                                      &rows);

    *expires_at = !err && rows->count ? iimg_rows_text(rows, 0, 0) : NULL;
    *id = *expires_at ? iimg_rows_text(rows, 0, 1) : NULL;
    if (err || !*expires_at) {
        return err;
    }
    return iimg_db_query(
        context, &trim,
        IIMG_PARAMS(wanted->user_id, wanted->hash, apr_itoa(context->pool, IIMG_TOKENS_MAX)), NULL);
}

iimg_error_t *iimg_token_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                        apr_array_header_t **tokens)
{
    return iimg_query_list_for_caller(
        context, &token_type, &list_of_caller,
        IIMG_PARAMS(IIMG_CALLER_PARAMS(context), context->login_token), caller, tokens);
}

static iimg_error_t *end_one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                             const char *const *params, iimg_ended_token_t *ended)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);
    bool found = !err && rows->count > 0;

    ended->id = found ? iimg_rows_text(rows, 0, 0) : NULL;
    ended->kind = found ? iimg_rows_text(rows, 0, 1) : NULL;
    ended->hash = found ? iimg_rows_text(rows, 0, 2) : NULL;
    return err;
}

iimg_error_t *iimg_token_delete(iimg_context_t *context, const char *user_id, const char *id,
                                iimg_ended_token_t *ended)
{
    return end_one(context, &delete_one, IIMG_PARAMS(id, user_id), ended);
}

iimg_error_t *iimg_token_delete_by_hash(iimg_context_t *context, const char *user_id,
                                        const char *hash, iimg_ended_token_t *ended)
{
    return end_one(context, &delete_by_hash, IIMG_PARAMS(hash, user_id), ended);
}

iimg_error_t *iimg_token_expire(iimg_context_t *context, int *count)
{
    return iimg_query_change(context, &expire, 0, NULL, count);
}
