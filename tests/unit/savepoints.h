/* savepoints.h - the suite's database with its real tables and triggers. A transaction of the code
 * under test is a savepoint in a transaction that is rolled back. */
#ifndef IIMG_SAVEPOINTS_H
#define IIMG_SAVEPOINTS_H

#include <dlfcn.h>
#include "database.h"

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

static iimg_error_t *savepoints_lend(iimg_context_t *context, iimg_db_connection_t **connection)
{
    (void)context;
    *connection = &database_connection;
    return NULL;
}

static void savepoints_take_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    (void)context, (void)connection;
}

/** Run SQL without formatting. @return as database_run */
static const char *sql(iimg_context_t *context, const char *text)
{
    return database_run(context, "%s", text);
}

/** Connect, with the real tables. @return false without a database */
static bool savepoints_begin(iimg_context_t *context)
{
    static const iimg_db_t db = { .borrow = savepoints_lend,
                                  .give_back = savepoints_take_back,
                                  .timeout = 120 };
    static const char *const none[] = { NULL };

    database_connection.prepared = apr_hash_make(context->pool);
    if (!database_begin(context, none)) {
        return false;
    }
    context->connection = NULL;
    context->db = &db;
    savepoints_on = true;
    sql(context, "SET LOCAL client_min_messages = error");
    return true;
}

#endif
