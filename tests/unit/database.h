/* database.h - the suite's database for unit tests of models. Tables of the test's own hide the
 * real ones: they have the same columns, and neither triggers nor foreign keys. Within one
 * transaction now() stands still, so that limits of time can be tested to the microsecond. */
#ifndef IIMG_DATABASE_H
#define IIMG_DATABASE_H

#include <unistd.h>
#include "base/db/db.h"
#include "tap.h"
#include "work.h"

static iimg_db_connection_t database_connection;

/** Run SQL; the test ends when it fails. @return the first column of the first row; NULL: none, or
 * SQL NULL */
__attribute__((unused, format(printf, 2, 3))) static const char *database_run(
    iimg_context_t *context, const char *sql, ...)
{
    va_list arguments;
    const char *text, *first = NULL;
    PGresult *result;

    va_start(arguments, sql);
    text = apr_pvsprintf(context->pool, sql, arguments);
    va_end(arguments);
    result = PQexec(database_connection.pg, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        tap_ok(false, "%s: %s", text, PQresultErrorMessage(result));
        exit(tap_done()); /* the transaction is aborted */
    }
    if (PQntuples(result) && !PQgetisnull(result, 0, 0)) {
        first = apr_pstrdup(context->pool, PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return first;
}

static iimg_error_t *database_lend(iimg_context_t *context, iimg_db_connection_t **connection)
{
    (void)context;
    *connection = &database_connection;
    return NULL;
}

static void database_take_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    (void)context, (void)connection;
}

/** Connect, with empty tables of these names, NULL at the end; time goes on. @return false: there
 * is no database */
__attribute__((unused)) static bool database_open(iimg_context_t *context,
                                                  const char *const *tables)
{
    static const iimg_db_t db = { .borrow = database_lend,
                                  .give_back = database_take_back,
                                  .timeout = 120 };
    const char *where = getenv("IIMG_DATABASE");

    alarm(300); /* a loop that does not end is a failure */
    database_connection.pg = PQconnectdb(where ? where : "");
    if (!tap_ok(where && PQstatus(database_connection.pg) == CONNECTION_OK,
                "there is the database that IIMG_DATABASE names")) {
        return false;
    }
    context->db = &db;
    for (int i = 0; tables[i]; i++) {
        database_run(context, "CREATE TEMPORARY TABLE %s (LIKE public.%s INCLUDING ALL)", tables[i],
                     tables[i]);
    }
    return true;
}

/** The same in one transaction, in which now() stands still. */
__attribute__((unused)) static bool database_begin(iimg_context_t *context,
                                                   const char *const *tables)
{
    if (!database_open(context, tables)) {
        return false;
    }
    database_run(context, "BEGIN");
    context->connection = &database_connection; /* as within iimg_db_transaction */
    return true;
}

__attribute__((unused)) static void database_end(iimg_context_t *context)
{
    context->connection = NULL;
    PQfinish(database_connection.pg);
}

#endif
