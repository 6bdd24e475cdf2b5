/* login_attempt.c - the brake on guessing: rows of login_failures, and what a login is checked by.
 */
#include "models/login_attempt.h"

#include <apr_strings.h>

/* Seconds that an attempt may be under way. One that takes longer is told nothing, for it cannot be
 * told from one whose process has died: that counts no longer, and nobody has learned from it. */
#define UNDER_WAY "interval '60 seconds'"

#define ALIVE "ARRAY(SELECT u FROM unnest(f.under_way) u WHERE u > now())"

/* What counts of a row: ended attempts of its window, and those under way. */
#define COUNTED \
    "CASE WHEN f.ends_at <= now() THEN cardinality(" ALIVE ")" \
    "     ELSE greatest(0, f.failures - cardinality(f.under_way) + cardinality(" ALIVE ")) END"

/* Of any number at once exactly max_failures get through: each locks the row. How long to wait is
 * read from the row as it was; one that came at this very moment waits the whole window. An attempt
 * is known by the time until which it may be under way: whoever has the row's lock gets a later
 * one. */
static const iimg_statement_t begin = IIMG_STATEMENT(
    "iimg_login_attempt_begin",
    "WITH attempt AS ("
    "    INSERT INTO login_failures AS f (account, address, failures, ends_at, under_way)"
    "    VALUES (lower($1::text), $2::text, 1, now() + make_interval(secs => $4::integer),"
    "            ARRAY[clock_timestamp() + " UNDER_WAY "])"
    "    ON CONFLICT (account, address) DO UPDATE"
    "       SET failures = 1 + " COUNTED ","
    "           ends_at = CASE WHEN f.ends_at <= now() THEN EXCLUDED.ends_at ELSE f.ends_at END,"
    "           forgiven = f.forgiven AND f.ends_at > now(),"
    "           under_way = " ALIVE " || (clock_timestamp() + " UNDER_WAY ")"
    "     WHERE " COUNTED " < $3::integer"
    "    RETURNING failures, under_way[cardinality(under_way)] AS place)"
    " SELECT CASE WHEN EXISTS (SELECT FROM attempt) THEN 0"
    "             ELSE greatest(1, coalesce((SELECT ceil(extract(epoch FROM least(f.ends_at,"
    "                    (SELECT min(u) FROM unnest(f.under_way) u WHERE u > now())) - now()))"
    "                                          FROM login_failures f"
    "                                         WHERE f.account = lower($1::text)"
    "                                           AND f.address = $2::text), $4::integer)) END::integer,"
    "        (SELECT failures FROM attempt), (SELECT place FROM attempt),"
    "        u.id, u.email, u.first_name, u.last_name, u.is_staff, u.is_active, u.password"
    "   FROM (SELECT) one LEFT JOIN users u ON lower(u.email) = lower($1::text)");

/* The attempt's row, as long as the attempt counts. */
#define IS_UNDER_WAY \
    " WHERE account = lower($1::text) AND address = $2::text AND $3::timestamptz = ANY (under_way)"

static const iimg_statement_t fail = IIMG_STATEMENT(
    "iimg_login_attempt_fail",
    "UPDATE login_failures SET under_way = array_remove(under_way, $3::timestamptz)" IS_UNDER_WAY);

/* Were all forgiven, who guesses from the address of somebody who logs in again and again - a
 * program with Basic, behind the same router - could guess for ever; were none, who has mistyped
 * his password nine times could not mistype it once more. */
static const iimg_statement_t succeed = IIMG_STATEMENT(
    "iimg_login_attempt_succeed",
    "UPDATE login_failures"
    "   SET failures = greatest(0, CASE WHEN forgiven THEN failures - 1"
    "                                   ELSE least(failures - 1, $4::integer / 2) END),"
    "       forgiven = forgiven OR failures - 1 > $4::integer / 2,"
    "       under_way = array_remove(under_way, $3::timestamptz)" IS_UNDER_WAY);

static const iimg_statement_t withdraw = IIMG_STATEMENT(
    "iimg_login_attempt_withdraw",
    "UPDATE login_failures SET failures = greatest(0, failures - 1),"
    "       under_way = array_remove(under_way, $3::timestamptz)" IS_UNDER_WAY);

static const iimg_statement_t forget_none = IIMG_STATEMENT(
    "iimg_login_attempt_forget",
    "DELETE FROM login_failures"
    " WHERE account = lower($1::text) AND address = $2::text AND failures <= 0 AND NOT forgiven"
    "   AND under_way = '{}'");

static const iimg_statement_t expire = IIMG_STATEMENT(
    "iimg_login_attempt_expire",
    "DELETE FROM login_failures WHERE (account, address) IN ("
    "    SELECT account, address FROM login_failures"
    "     WHERE ends_at <= now() AND NOT now() < ANY (under_way) LIMIT 10000"
    "       FOR UPDATE SKIP LOCKED)");

iimg_error_t *iimg_login_attempt_begin(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                       int *wait, iimg_login_t *login)
{
    apr_pool_t *pool = context->pool;
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &begin,
                                      IIMG_PARAMS(attempt->email, attempt->address,
                                                  apr_itoa(pool, attempt->max_failures),
                                                  apr_itoa(pool, attempt->window)),
                                      &rows);

    if (err) {
        return err;
    }
    *wait = (int)iimg_rows_integer(rows, 0, 0);
    login->failures = (int)iimg_rows_integer(rows, 0, 1);
    login->place = iimg_rows_text(rows, 0, 2);
    login->user.id = iimg_rows_text(rows, 0, 3);
    login->user.email = iimg_rows_text(rows, 0, 4);
    login->user.first_name = iimg_rows_text(rows, 0, 5);
    login->user.last_name = iimg_rows_text(rows, 0, 6);
    login->user.is_staff = iimg_rows_bool(rows, 0, 7);
    login->is_active = iimg_rows_bool(rows, 0, 8);
    login->hash = iimg_rows_text(rows, 0, 9);
    return NULL;
}

iimg_error_t *iimg_login_attempt_fail(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                      const iimg_login_t *login, bool *counted)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &fail, IIMG_PARAMS(attempt->email, attempt->address, login->place), &rows);

    *counted = !err && rows->affected > 0;
    return err;
}

static iimg_error_t *forget(iimg_context_t *context, const iimg_login_attempt_t *attempt)
{
    return iimg_db_query(context, &forget_none, IIMG_PARAMS(attempt->email, attempt->address),
                         NULL);
}

typedef struct ending_t {
    const iimg_login_attempt_t *attempt;
    const iimg_login_t *login;
    bool counted; /* until now */
} ending_t;

/* A transaction, since a statement alone may run twice. */
static iimg_error_t *succeed_step(iimg_context_t *context, void *baton)
{
    ending_t *ending = baton;
    const iimg_login_attempt_t *attempt = ending->attempt;
    const char *max = apr_itoa(context->pool, attempt->max_failures);
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &succeed, IIMG_PARAMS(attempt->email, attempt->address, ending->login->place, max),
        &rows);

    ending->counted = !err && rows->affected > 0;
    return err ? err : forget(context, attempt);
}

iimg_error_t *iimg_login_attempt_succeed(iimg_context_t *context,
                                         const iimg_login_attempt_t *attempt,
                                         const iimg_login_t *login, bool *counted)
{
    ending_t ending = { attempt, login, false };
    iimg_error_t *err = iimg_db_transaction(context, succeed_step, &ending);

    *counted = ending.counted;
    return err;
}

/* Who sends nothing but attempts that are given up leaves no rows. */
static iimg_error_t *withdraw_step(iimg_context_t *context, void *baton)
{
    const ending_t *ending = baton;
    const iimg_login_attempt_t *attempt = ending->attempt;
    iimg_error_t *err = iimg_db_query(
        context, &withdraw, IIMG_PARAMS(attempt->email, attempt->address, ending->login->place),
        NULL);

    return err ? err : forget(context, attempt);
}

iimg_error_t *iimg_login_attempt_withdraw(iimg_context_t *context,
                                          const iimg_login_attempt_t *attempt,
                                          const iimg_login_t *login)
{
    ending_t ending = { attempt, login, false };

    return iimg_db_transaction(context, withdraw_step, &ending);
}

iimg_error_t *iimg_login_attempt_expire(iimg_context_t *context, int *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &expire, 0, NULL, &rows);

    *count = err ? 0 : rows->affected;
    return err;
}
