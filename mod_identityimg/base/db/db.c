/* db.c - run statements: prepare, send, wait with a deadline, retry. */
#include "base/db/db.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/db/error.h"
#include "base/db/rows.h"
#include "base/fault.h"
#include "base/log.h"

#define MAX_TRIES 3

static bool is_lost(const iimg_db_connection_t *connection)
{
    return PQstatus(connection->pg) != CONNECTION_OK;
}

/* Close the session. The next borrower finds a dead connection and reconnects. */
static void close_session(iimg_db_connection_t *connection)
{
    connection->timed_out = true;
    if (PQsocket(connection->pg) >= 0) {
        shutdown(PQsocket(connection->pg), SHUT_RDWR);
        while (PQconsumeInput(connection->pg) && PQstatus(connection->pg) == CONNECTION_OK
               && PQisBusy(connection->pg)) {
            continue;
        }
    }
}

/* Wait for the socket. @return false when the deadline has passed or poll failed */
static bool wait_for(PGconn *pg, short events, apr_time_t deadline)
{
    struct pollfd one = { .fd = PQsocket(pg), .events = events };
    int n;

    do {
        apr_time_t left = deadline - apr_time_now();

        if (left <= 0) {
            return false;
        }
        n = poll(&one, 1, (int)(left / 1000) + 1);
    } while (n == 0 || (n < 0 && errno == EINTR));
    return n > 0;
}

static bool flush_output(PGconn *pg, apr_time_t deadline)
{
    int rc;

    while ((rc = PQflush(pg)) > 0) {
        if (!wait_for(pg, POLLIN | POLLOUT, deadline) || !PQconsumeInput(pg)) {
            return false;
        }
    }
    return rc == 0;
}

/* Read until a result is complete. @return false when the deadline has passed */
static bool read_result(PGconn *pg, apr_time_t deadline)
{
    while (PQisBusy(pg)) {
        if (!wait_for(pg, POLLIN, deadline)) {
            return false;
        }
        if (!PQconsumeInput(pg)) {
            break; /* connection lost: PQgetResult reports it */
        }
    }
    return true;
}

/* Read the last result of a command. @return NULL when the connection is dead or the deadline has
 * passed, which closes the connection */
static PGresult *read_last_result(iimg_db_connection_t *connection, apr_time_t deadline)
{
    PGresult *last = NULL, *next;

    if (!flush_output(connection->pg, deadline)) {
        if (!is_lost(connection)) {
            close_session(connection);
        }
        return NULL;
    }
    for (;;) {
        if (!read_result(connection->pg, deadline)) {
            PQclear(last);
            close_session(connection);
            return NULL;
        }
        next = PQgetResult(connection->pg);
        if (!next) {
            return last;
        }
        PQclear(last);
        last = next;
    }
}

static bool is_success(const PGresult *result)
{
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static apr_time_t deadline_of(const iimg_context_t *context)
{
    return apr_time_now() + apr_time_from_sec(context->db->timeout);
}

static iimg_error_t *check_result(iimg_context_t *context, const char *label, PGresult *result)
{
    iimg_error_t *err = NULL;

    if (!result) {
        bool timed_out = context->connection->timed_out;

        err = iimg_db_lost(context, label,
                           timed_out ? "no response in time" : "the connection was lost");
        err->sqlstate = timed_out ? NULL : "08006";
        return err;
    }
    if (!is_success(result)) {
        err = iimg_db_failed(context, label, result);
        PQclear(result);
    }
    return err;
}

static iimg_error_t *prepare_statement(iimg_context_t *context, const iimg_statement_t *statement)
{
    iimg_db_connection_t *connection = context->connection;
    PGresult *result = NULL;
    iimg_error_t *err;

    if (apr_hash_get(connection->prepared, statement->label, APR_HASH_KEY_STRING)) {
        return NULL;
    }
    if (PQsendPrepare(connection->pg, statement->label, statement->sql, 0, NULL)) {
        result = read_last_result(connection, deadline_of(context));
    }
    err = check_result(context, statement->label, result);
    if (err) {
        return err;
    }
    PQclear(result);
    apr_hash_set(connection->prepared, statement->label, APR_HASH_KEY_STRING, statement);
    return NULL;
}

static iimg_error_t *run_statement(iimg_context_t *context, const iimg_statement_t *statement,
                                   int count, const char *const *params, PGresult **result)
{
    PGconn *pg = context->connection->pg;
    iimg_error_t *err = NULL;
    int sent;

    *result = NULL;
    if (context->db->prepare) {
        err = prepare_statement(context, statement);
        if (err) {
            return err;
        }
        sent = PQsendQueryPrepared(pg, statement->label, count, params, NULL, NULL, 0);
    }
    else {
        sent = PQsendQueryParams(pg, statement->sql, count, NULL, params, NULL, NULL, 0);
    }
    if (sent) {
        *result = read_last_result(context->connection, deadline_of(context));
    }
    err = check_result(context, statement->label, *result);
    if (err && err->sqlstate
        && (strcmp(err->sqlstate, "26000") == 0 || strcmp(err->sqlstate, "0A000") == 0)) {
        /* The backend lost the prepared statements, or a migration changed a table: prepare again.
         */
        context->connection->stale = true;
    }
    return err;
}

static iimg_error_t *run_command(iimg_context_t *context, const char *sql, const char *tag)
{
    PGresult *result = NULL;
    iimg_error_t *err;

    if (PQsendQuery(context->connection->pg, sql)) {
        result = read_last_result(context->connection, deadline_of(context));
    }
    err = check_result(context, sql, result);
    if (err) {
        return err;
    }
    /* COMMIT of a failed transaction succeeds with the tag ROLLBACK. */
    if (strcmp(PQcmdStatus(result), tag) != 0) {
        err = iimg_error_internal(context->pool, "%s answered %s", sql, PQcmdStatus(result));
    }
    PQclear(result);
    return err;
}

static void drop_prepared(iimg_context_t *context)
{
    apr_hash_clear(context->connection->prepared);
    if (run_command(context, "DEALLOCATE ALL", "DEALLOCATE ALL")) {
        close_session(context->connection);
    }
}

static void return_connection(iimg_context_t *context)
{
    iimg_db_connection_t *connection = context->connection;

    if (connection->stale && !is_lost(connection)) {
        drop_prepared(context);
    }
    context->connection = NULL;
    context->db->give_back(context, connection);
}

/* Borrow context->connection, and check the schema of its database. */
static iimg_error_t *borrow_connection(iimg_context_t *context)
{
    iimg_error_t *err = context->db->borrow(context, &context->connection);

    if (err || !context->db->check) {
        return err;
    }
    err = context->db->check(context);
    if (err) {
        return_connection(context);
    }
    return err;
}

static iimg_error_t *query_once(iimg_context_t *context, const iimg_statement_t *statement,
                                int count, const char *const *params, PGresult **result)
{
    iimg_error_t *err = borrow_connection(context);

    *result = NULL;
    if (err) {
        return err;
    }
    err = run_statement(context, statement, count, params, result);
    return_connection(context);
    return err;
}

static iimg_error_t *query_with_retries(iimg_context_t *context, const iimg_statement_t *statement,
                                        int count, const char *const *params, PGresult **result)
{
    iimg_error_t *err;
    int tries = 0;

    if (context->connection) {
        return run_statement(context, statement, count, params, result);
    }
    do {
        err = query_once(context, statement, count, params, result);
    } while (err && iimg_db_may_succeed_again(err) && ++tries < MAX_TRIES);
    return err;
}

iimg_error_t *iimg_db_query(iimg_context_t *context, const iimg_statement_t *statement, int count,
                            const char *const *params, iimg_rows_t **rows)
{
    apr_time_t began = iimg_step_begin(context);
    PGresult *result = NULL;
    iimg_error_t *err = query_with_retries(context, statement, count, params, &result);

    iimg_step_end(context, began, "sql", statement->label);
    if (err) {
        return err;
    }
    if (!rows) {
        PQclear(result);
        return NULL;
    }
    *rows = iimg_rows_create(context->pool, result);
    return NULL;
}

/* Transactions -------------------------------------------------------------------------------- */

static iimg_error_t *commit_transaction(iimg_context_t *context)
{
    iimg_error_t *err;

    (void)IIMG_FAULT("db.commit");
    err = run_command(context, "COMMIT", "COMMIT");
    (void)IIMG_FAULT("db.committed");
    if (err && (is_lost(context->connection) || context->connection->timed_out)) {
        context->lost_commit = true;
        err->message = "The database connection was lost before the change was confirmed. "
                       "Check whether the change was applied before you retry.";
    }
    return err;
}

static iimg_error_t *run_step(iimg_context_t *context, iimg_db_step_fn step, void *baton)
{
    iimg_error_t *err = run_command(context, "BEGIN", "BEGIN");

    if (err) {
        return err;
    }
    err = step(context, baton);
    if (err) {
        return err;
    }
    return commit_transaction(context);
}

static iimg_error_t *transaction_once(iimg_context_t *context, iimg_db_step_fn step, void *baton,
                                      bool *again)
{
    iimg_error_t *err = borrow_connection(context);

    *again = err && iimg_db_may_succeed_again(err);
    if (err) {
        return err;
    }
    err = run_step(context, step, baton);
    if (err) {
        *again = iimg_db_may_succeed_again(err) && !context->lost_commit;
        if (!is_lost(context->connection)
            && PQtransactionStatus(context->connection->pg) != PQTRANS_IDLE) {
            (void)run_command(context, "ROLLBACK", "ROLLBACK");
        }
    }
    return_connection(context);
    return err;
}

iimg_error_t *iimg_db_transaction(iimg_context_t *context, iimg_db_step_fn step, void *baton)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err;
    bool again;
    int tries = 0;

    context->lost_commit = false;
    do {
        err = transaction_once(context, step, baton, &again);
    } while (err && again && ++tries < MAX_TRIES);
    iimg_step_end(context, began, "transaction", NULL);
    return err;
}

bool iimg_db_settle(const iimg_db_t *db, iimg_db_connection_t *connection)
{
    if (PQtransactionStatus(connection->pg) != PQTRANS_IDLE) {
        if (PQsendQuery(connection->pg, "ROLLBACK")) {
            PQclear(read_last_result(connection, apr_time_now() + apr_time_from_sec(db->timeout)));
        }
        if (PQtransactionStatus(connection->pg) != PQTRANS_IDLE && !is_lost(connection)) {
            close_session(connection);
        }
    }
    return !is_lost(connection);
}
