/* sql.h - the suite's database for unit tests, in one of three ways:
 *
 * sql_open, sql_begin: empty temporary tables that hide the real ones. They have the same columns,
 * but neither triggers nor foreign keys. now() is constant within a transaction (sql_begin), so
 * that limits of time can be tested to the microsecond. sql_begin_real: the real tables with their
 * triggers, in a transaction that is rolled back. A transaction of the code under test is a
 * savepoint in it.
 */
#ifndef IIMG_SQL_H
#define IIMG_SQL_H

#include <dlfcn.h>
#include <unistd.h>
#include "base/db/db.h"
#include "tap.h"
#include "work.h"

static iimg_db_connection_t sql_connection;

/** Run SQL, and exit on errors. @return the first column of the first row; NULL: none, or SQL NULL
 */
__attribute__((unused, format(printf, 2, 3))) static const char *sql_run(iimg_context_t *context,
                                                                         const char *sql, ...)
{
    va_list arguments;
    const char *text, *first = NULL;
    PGresult *result;

    va_start(arguments, sql);
    text = apr_pvsprintf(context->pool, sql, arguments);
    va_end(arguments);
    result = PQexec(sql_connection.pg, text);
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

static iimg_error_t *sql_lend(iimg_context_t *context, iimg_db_connection_t **connection)
{
    (void)context;
    *connection = &sql_connection;
    return NULL;
}

static void sql_take_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    (void)context, (void)connection;
}

/** Connect, with empty tables of these names (terminated by NULL). @return false without a database
 */
__attribute__((unused)) static bool sql_open(iimg_context_t *context, const char *const *tables)
{
    static const iimg_db_t db = { .borrow = sql_lend, .give_back = sql_take_back, .timeout = 120 };
    const char *where = getenv("IIMG_DATABASE");

    alarm(300); /* fails an endless loop */
    sql_connection.pg = PQconnectdb(where ? where : "");
    if (!tap_ok(where && PQstatus(sql_connection.pg) == CONNECTION_OK,
                "the database named by IIMG_DATABASE accepts connections")) {
        return false;
    }
    context->db = &db;
    for (int i = 0; tables[i]; i++) {
        sql_run(context, "CREATE TEMPORARY TABLE %s (LIKE public.%s INCLUDING ALL)", tables[i],
                tables[i]);
    }
    return true;
}

/** Connect and begin a transaction, in which now() is constant. */
__attribute__((unused)) static bool sql_begin(iimg_context_t *context, const char *const *tables)
{
    if (!sql_open(context, tables)) {
        return false;
    }
    sql_run(context, "BEGIN");
    context->connection = &sql_connection; /* as in iimg_db_transaction */
    return true;
}

__attribute__((unused)) static void sql_end(iimg_context_t *context)
{
    context->connection = NULL;
    PQfinish(sql_connection.pg);
}

/* Real tables ---------------------------------------------------------------------------------- */

static const struct {
    const char *said, *meant;
} savepoints[] = {
    { "BEGIN", "SAVEPOINT step" },
    { "COMMIT", "RELEASE SAVEPOINT step" },
    { "ROLLBACK", "ROLLBACK TO SAVEPOINT step" },
};
static bool savepoints_on;
static const char *savepoints_tag; /* the status that the code under test expects */

int PQsendQuery(PGconn *pg, const char *sql)
{
    int (*sends)(PGconn *, const char *) = (int (*)(PGconn *, const char *))dlsym(RTLD_NEXT,
                                                                                  "PQsendQuery");

    savepoints_tag = NULL;
    for (size_t i = 0; savepoints_on && i < sizeof(savepoints) / sizeof(savepoints[0]); i++) {
        if (strcmp(sql, savepoints[i].said) == 0) {
            savepoints_tag = savepoints[i].said;
            return sends(pg, savepoints[i].meant);
        }
    }
    return sends(pg, sql);
}

char *PQcmdStatus(PGresult *result)
{
    char *(*tells)(PGresult *) = (char *(*)(PGresult *))dlsym(RTLD_NEXT, "PQcmdStatus");

    return savepoints_tag && PQresultStatus(result) == PGRES_COMMAND_OK ? (char *)savepoints_tag
                                                                        : tells(result);
}

/** Run SQL without formatting. @return as sql_run */
__attribute__((unused)) static const char *sql(iimg_context_t *context, const char *text)
{
    return sql_run(context, "%s", text);
}

/** Connect, with the real tables. @return false without a database */
__attribute__((unused)) static bool sql_begin_real(iimg_context_t *context)
{
    static const iimg_db_t db = { .borrow = sql_lend, .give_back = sql_take_back, .timeout = 120 };
    static const char *const none[] = { NULL };

    sql_connection.prepared = apr_hash_make(context->pool);
    if (!sql_begin(context, none)) {
        return false;
    }
    context->connection = NULL;
    context->db = &db;
    savepoints_on = true;
    sql(context, "SET LOCAL client_min_messages = error");
    return true;
}

#endif
