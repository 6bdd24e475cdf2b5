/* generation_load.c - numbers and costs of generations, for comparing them with limits. */
#include "models/generation_load.h"

#include <apr_strings.h>

static const iimg_statement_t lock = IIMG_STATEMENT(
    "iimg_generation_load_lock",
    "SELECT pg_advisory_xact_lock(hashtext('iimg_generation_load'), 0)");

/* Separate from the lock, so that its snapshot includes everything committed before the lock. */
static const iimg_statement_t load_now = IIMG_STATEMENT(
    "iimg_generation_load_read",
    "WITH active AS ("
    "    SELECT requested_by, state, coalesce(started_at, created_at) AS since FROM generation_jobs"
    "     WHERE state IN ('queued', 'running')"
    "       AND (lease_expires_at IS NULL OR lease_expires_at > now())"
    "), typical AS ("
    "    SELECT coalesce(percentile_cont(0.5) WITHIN GROUP ("
    "               ORDER BY extract(epoch FROM finished_at - started_at)), 30) AS seconds"
    "      FROM (SELECT finished_at, started_at FROM generation_jobs WHERE state = 'succeeded'"
    "             ORDER BY created_at DESC LIMIT 50) recent"
    "), counted AS ("
    "    SELECT id, requested_by, created_at, coalesce(cost, expected_cost) AS cost,"
    "           ceil(extract(epoch FROM created_at + interval '24 hours' - now())) AS seconds"
    "      FROM generation_jobs"
    "     WHERE created_at > now() - interval '24 hours'"
    "       AND NOT (state IN ('failed', 'canceled') AND image IS NULL"
    "                AND (attempts = 0 OR error_billed IS FALSE))"
    "), spent AS ("
    "    SELECT id, created_at, seconds,"
    "           sum(cost) OVER (ORDER BY created_at DESC, id DESC) AS total"
    "      FROM counted WHERE cost > 0"
    ")"
    " SELECT (SELECT count(*) FROM active WHERE state = 'running'),"
    "        (SELECT count(*) FROM active WHERE requested_by = $1::uuid),"
    "        (SELECT ceil(t.seconds - extract(epoch FROM now() - min(a.since)))"
    "           FROM active a, typical t GROUP BY t.seconds),"
    "        (SELECT ceil(t.seconds - extract(epoch FROM now() - min(a.since)))"
    "           FROM active a, typical t WHERE a.requested_by = $1::uuid GROUP BY t.seconds),"
    "        (SELECT seconds FROM counted WHERE requested_by = $1::uuid"
    "          ORDER BY created_at DESC OFFSET greatest($4::integer - 1, 0) LIMIT 1),"
    "        CASE WHEN $2::numeric = 0 OR $3::numeric IS NULL THEN NULL"
    "             WHEN $2::numeric > $3::numeric THEN -1"
    "             ELSE (SELECT greatest(seconds, 1) FROM spent WHERE total + $2::numeric > $3::numeric"
    "                    ORDER BY created_at DESC, id DESC LIMIT 1) END,"
    "        (SELECT count(*) FROM active WHERE state = 'queued')");

iimg_error_t *iimg_generation_load_lock(iimg_context_t *context)
{
    iimg_rows_t *rows;

    return iimg_db_query(context, &lock, 0, NULL, &rows);
}

static int at_least_one(const iimg_rows_t *rows, int column)
{
    long long seconds = iimg_rows_integer(rows, 0, column);

    return seconds > 1 ? (int)seconds : 1;
}

iimg_error_t *iimg_generation_load_read(iimg_context_t *context, const iimg_generation_wish_t *wish,
                                        iimg_generation_load_t *load)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &load_now,
                                      IIMG_PARAMS(wish->user_id, wish->expected_cost, wish->budget,
                                                  apr_itoa(context->pool, wish->per_day)),
                                      &rows);

    if (err) {
        return err;
    }
    *load = (iimg_generation_load_t){
        .running = (int)iimg_rows_integer(rows, 0, 0),
        .queued = (int)iimg_rows_integer(rows, 0, 6),
        .running_of_user = (int)iimg_rows_integer(rows, 0, 1),
        .seconds = at_least_one(rows, 2),
        .seconds_of_user = at_least_one(rows, 3),
        .day_seconds = wish->per_day && iimg_rows_text(rows, 0, 4) ? at_least_one(rows, 4) : 0,
        .budget_seconds = (int)iimg_rows_integer(rows, 0, 5),
    };
    return NULL;
}
