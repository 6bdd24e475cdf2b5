/* token.c - sessions and bearer tokens: rows of auth_tokens, each under its token's hash. */
#include "models/token.h"

#include <apr_strings.h>

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

/* The user's row is locked: a password that changes at this moment either has changed before, or
 * its trigger sees this token; and no two logins of one user end the same old tokens. */
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
    "SELECT " IIMG_CALLER_COLUMNS ", t.id, t.kind, t.created_at, t.last_used_at, t.expires_at,"
    "       t.hash = $3::text"
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

static apr_array_header_t *take_rows(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *tokens = apr_array_make(pool, rows->count + 1, sizeof(iimg_token_t));

    for (int row = 0; row < rows->count && iimg_rows_text(rows, row, from); row++) {
        iimg_token_t *token = apr_array_push(tokens);

        token->id = iimg_rows_text(rows, row, from);
        token->kind = iimg_rows_text(rows, row, from + 1);
        token->created_at = iimg_rows_text(rows, row, from + 2);
        token->last_used_at = iimg_rows_text(rows, row, from + 3);
        token->expires_at = iimg_rows_text(rows, row, from + 4);
        token->is_current = iimg_rows_bool(rows, row, from + 5);
    }
    return tokens;
}

iimg_error_t *iimg_token_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                        apr_array_header_t **tokens)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &list_of_caller, IIMG_PARAMS(IIMG_CALLER_PARAMS(context), context->login_token),
        &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *tokens = err ? NULL : take_rows(context->pool, rows, IIMG_CALLER_WIDTH);
    return err;
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
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &expire, 0, NULL, &rows);

    *count = err ? 0 : rows->affected;
    return err;
}
