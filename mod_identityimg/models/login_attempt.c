/* login_attempt.c - limits failed logins: rows of login_failures, and the account of a login. */
#include "models/login_attempt.h"

#include <apr_strings.h>
#include "models/query.h"

/* The longest duration of an attempt. A longer one counts no longer, like that of a dead process,
 * and its client does not learn whether the password was right. */
#define UNDER_WAY "interval '60 seconds'"

#define ALIVE "ARRAY(SELECT u FROM unnest(f.under_way) u WHERE u > now())"

/* The attempts of a row that count: failures within the window, and running ones. */
#define COUNTED \
    "CASE WHEN f.ends_at <= now() THEN cardinality(" ALIVE ")" \
    "     ELSE greatest(0, f.failures - cardinality(f.under_way) + cardinality(" ALIVE ")) END"

#define WAIT \
    "CASE WHEN EXISTS (SELECT FROM attempt) THEN 0" \
    "     ELSE greatest(1, coalesce((SELECT ceil(extract(epoch FROM least(f.ends_at," \
    "            (SELECT min(u) FROM unnest(f.under_way) u WHERE u > now())) - now()))" \
    "                                  FROM login_failures f" \
    "                                 WHERE f.account = lower($1::text)" \
    "                                   AND f.address = $2::text), $4::integer)) END::integer"

typedef struct begun_t {
    int wait;
    iimg_login_t login;
} begun_t;

#define IIMG_ROW begun_t
#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(wait, INTEGER, WAIT) \
    NEXT(login.failures, INTEGER, "(SELECT failures FROM attempt)") \
    NEXT(login.place, TEXT, "(SELECT place FROM attempt)") \
    NEXT(login.user.id, TEXT, "u.id") \
    NEXT(login.user.email, TEXT, "u.email") \
    NEXT(login.user.first_name, TEXT, "u.first_name") \
    NEXT(login.user.last_name, TEXT, "u.last_name") \
    NEXT(login.user.is_staff, BOOL, "u.is_staff") \
    NEXT(login.is_active, BOOL, "u.is_active") \
    NEXT(login.hash, TEXT, "u.password")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t begun_type = IIMG_ROW_TYPE(columns);

/* Each attempt locks the row, so that exactly max_failures of any number of concurrent attempts
 * pass. The wait is read from the row as it was before; a concurrent first attempt waits for the
 * whole window. An attempt is identified by the time until which it may run: holders of the lock
 * get ascending times. */
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
    " SELECT " COLUMNS
    "   FROM (SELECT) one LEFT JOIN users u ON lower(u.email) = lower($1::text)");

/* The attempt's row, as long as the attempt counts. */
#define IS_UNDER_WAY \
    " WHERE account = lower($1::text) AND address = $2::text AND $3::timestamptz = ANY (under_way)"

static const iimg_statement_t fail = IIMG_STATEMENT(
    "iimg_login_attempt_fail",
    "UPDATE login_failures SET under_way = array_remove(under_way, $3::timestamptz)" IS_UNDER_WAY);

/* A success forgives half of the failures, once in a window. If it forgave all, an attacker could
 * guess forever from the address of a program that logs in repeatedly, behind the same router. If
 * it forgave none, a user with nine typing errors could not make a tenth. */
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

static const iimg_statement_t delete_empty = IIMG_STATEMENT(
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
    begun_t *begun;
    iimg_error_t *err = iimg_query_one(context, &begun_type, &begin,
                                       IIMG_PARAMS(attempt->email, attempt->address,
                                                   apr_itoa(pool, attempt->max_failures),
                                                   apr_itoa(pool, attempt->window)),
                                       &begun);

    if (err) {
        return err;
    }
    *wait = begun->wait;
    *login = begun->login;
    return NULL;
}

iimg_error_t *iimg_login_attempt_fail(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                      const iimg_login_t *login, bool *counted)
{
    return iimg_query_change_one(
        context, &fail, IIMG_PARAMS(attempt->email, attempt->address, login->place), counted);
}

static iimg_error_t *delete_empty_row(iimg_context_t *context, const iimg_login_attempt_t *attempt)
{
    return iimg_db_query(context, &delete_empty, IIMG_PARAMS(attempt->email, attempt->address),
                         NULL);
}

typedef struct ending_t {
    const iimg_login_attempt_t *attempt;
    const iimg_login_t *login;
    bool counted; /* the attempt still counted */
} ending_t;

/* In a transaction, since a single statement may run twice. */
static iimg_error_t *succeed_step(iimg_context_t *context, void *baton)
{
    ending_t *ending = baton;
    const iimg_login_attempt_t *attempt = ending->attempt;
    const char *max = apr_itoa(context->pool, attempt->max_failures);
    iimg_error_t *err = iimg_query_change_one(
        context, &succeed, IIMG_PARAMS(attempt->email, attempt->address, ending->login->place, max),
        &ending->counted);

    if (err) {
        return err;
    }
    return delete_empty_row(context, attempt);
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

/* Withdrawn attempts alone leave no row. */
static iimg_error_t *withdraw_step(iimg_context_t *context, void *baton)
{
    const ending_t *ending = baton;
    const iimg_login_attempt_t *attempt = ending->attempt;
    iimg_error_t *err = iimg_db_query(
        context, &withdraw, IIMG_PARAMS(attempt->email, attempt->address, ending->login->place),
        NULL);

    if (err) {
        return err;
    }
    return delete_empty_row(context, attempt);
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
    return iimg_query_change(context, &expire, 0, NULL, count);
}
