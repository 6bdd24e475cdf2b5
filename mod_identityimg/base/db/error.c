/* error.c - map PostgreSQL's errors to error kinds, and decide on retries. */
#include "base/db/error.h"

#include <stdarg.h>
#include <string.h>
#include <apr_strings.h>

/* Kinds of SQLSTATEs or their classes (PostgreSQL, appendix A). */
static const struct state {
    const char *prefix;
    iimg_error_kind_t kind;
    bool again; /* an immediate retry may succeed */
} states[] = {
    { "26000", IIMG_INTERNAL, true },     /* unknown prepared statement: a pooler, or DISCARD */
    { "0A000", IIMG_INTERNAL, true },     /* cached plan must not change result type: migrated */
    { "40001", IIMG_UNAVAILABLE, true },  /* serialization failure */
    { "40P01", IIMG_UNAVAILABLE, true },  /* deadlock */
    { "57014", IIMG_UNAVAILABLE, false }, /* statement_timeout */
    { "55P03", IIMG_UNAVAILABLE, false }, /* lock_timeout */
    { "57P0", IIMG_UNAVAILABLE, true },   /* shutdown, crash, starting up */
    { "25006", IIMG_UNAVAILABLE, true },  /* read-only: a standby after failover */
    { "25P03", IIMG_UNAVAILABLE, false }, /* idle in transaction too long */
    { "53", IIMG_UNAVAILABLE, false },    /* out of disk, memory, connections */
    { "58", IIMG_UNAVAILABLE, false },    /* I/O error */
    { "08", IIMG_UNAVAILABLE, true },     /* connection lost */
    { "", IIMG_INTERNAL, false },
};

/* Find the row of a SQLSTATE; the last row matches all. */
static const struct state *state_of(const char *sqlstate)
{
    const struct state *state = states;

    while (strncmp(sqlstate, state->prefix, strlen(state->prefix)) != 0) {
        state++;
    }
    return state;
}

/* Statements are constants and tested: a missing table, column, function, type or schema means
 * that the database has an older or a newer schema. */
static bool is_missing(const char *sqlstate)
{
    static const char *const missing[] = { "42P01", "42703", "42883", "42704", "3F000" };

    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        if (strcmp(sqlstate, missing[i]) == 0) {
            return true;
        }
    }
    return false;
}

iimg_error_t *iimg_db_wrong_schema(iimg_context_t *context, const char *detail, ...)
{
    iimg_error_t *err = iimg_error_with_code(
        context->pool, IIMG_UNAVAILABLE, "database_schema",
        "The database schema does not match this version of the server; an operator must upgrade "
        "one of them.");
    va_list arguments;

    va_start(arguments, detail);
    err->detail = apr_pvsprintf(context->pool, detail, arguments);
    va_end(arguments);
    err->tag = "IIMG0048";
    return err;
}

bool iimg_db_is_schema_error(const iimg_error_t *err)
{
    return err->code && strcmp(err->code, "database_schema") == 0;
}

iimg_error_t *iimg_db_lost(iimg_context_t *context, const char *label, const char *why)
{
    return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, "database_down",
                                  "The database is not available at the moment.", "%s: %s", label,
                                  why);
}

iimg_error_t *iimg_db_failed(iimg_context_t *context, const char *label, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const struct state *state;
    iimg_error_t *err;

    sqlstate = sqlstate ? sqlstate : "08000";
    if (is_missing(sqlstate)) {
        err = iimg_db_wrong_schema(context,
                                   "%s: %s; the schema does not match this build: run "
                                   "scripts/migrate",
                                   label, text ? text : PQresultErrorMessage(result));
        err->sqlstate = apr_pstrdup(context->pool, sqlstate);
        return err;
    }
    state = state_of(sqlstate);
    err = iimg_error(context->pool, state->kind, "%s",
                     state->kind == IIMG_UNAVAILABLE
                         ? "The database is not available at the moment."
                         : "Internal server error");
    err->sqlstate = apr_pstrdup(context->pool, sqlstate);
    err->constraint = constraint ? apr_pstrdup(context->pool, constraint) : NULL;
    if (state->kind == IIMG_UNAVAILABLE) {
        err->code = "database_down";
    }
    /* The primary message only: DETAIL has values of the row. */
    return iimg_error_detail(err, "%s: %s", label, text ? text : PQresultErrorMessage(result));
}

bool iimg_db_may_succeed_again(const iimg_error_t *err)
{
    return err->sqlstate && state_of(err->sqlstate)->again;
}
