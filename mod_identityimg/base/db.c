/* db.c - running statements: prepare, send, wait with a deadline, map failures, try again. */
#include "base/db.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/fault.h"
#include "base/log.h"

#define MAX_TRIES 3
#define MOST_COPIED 256             /* values of a result that is copied */
#define MOST_COPIED_BYTES 8192

/* PostgreSQL, appendix A: what a SQLSTATE (or its class) means to a client of ours. */
static const struct {
    const char *prefix;
    iimg_error_kind_t kind;
    bool again;             /* the same work may succeed at once */
} states[] = {
    { "26000", IIMG_INTERNAL,    true },    /* unknown prepared statement: a pooler, or DISCARD */
    { "0A000", IIMG_INTERNAL,    true },    /* cached plan must not change result type: migrated */
    { "40001", IIMG_UNAVAILABLE, true },    /* serialization failure */
    { "40P01", IIMG_UNAVAILABLE, true },    /* deadlock */
    { "57014", IIMG_UNAVAILABLE, false },   /* statement_timeout */
    { "55P03", IIMG_UNAVAILABLE, false },   /* lock_timeout */
    { "57P0",  IIMG_UNAVAILABLE, true },    /* shutdown, crash, starting up */
    { "25006", IIMG_UNAVAILABLE, true },    /* read-only: a standby after failover */
    { "25P03", IIMG_UNAVAILABLE, false },   /* idle in transaction too long */
    { "53",    IIMG_UNAVAILABLE, false },   /* out of disk, memory, connections */
    { "58",    IIMG_UNAVAILABLE, false },   /* I/O error */
    { "08",    IIMG_UNAVAILABLE, true },    /* connection lost */
    { "",      IIMG_INTERNAL,    false },
};

static bool is_lost(const iimg_db_connection_t *connection)
{
    return PQstatus(connection->pg) != CONNECTION_OK;
}

/* Ends the session from our side: the next borrower sees a dead connection and opens it anew. */
static void break_off(iimg_db_connection_t *connection)
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

static iimg_error_t *lost(iimg_context_t *context, const char *label, const char *why)
{
    return iimg_error_detail(
        iimg_error_code(iimg_error(context->pool, IIMG_UNAVAILABLE,
                                   "The database is not available at the moment."),
                        "database_down"),
        "%s: %s", label, why);
}

static iimg_error_t *failed(iimg_context_t *context, const char *label, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    iimg_error_t *err;
    size_t i = 0;

    state = state ? state : "08000";
    while (strncmp(state, states[i].prefix, strlen(states[i].prefix)) != 0) {
        i++;
    }
    err = iimg_error(context->pool, states[i].kind, "%s",
                     states[i].kind == IIMG_UNAVAILABLE
                         ? "The database is not available at the moment."
                         : "Internal server error");
    err->sqlstate = apr_pstrdup(context->pool, state);
    err->constraint = constraint ? apr_pstrdup(context->pool, constraint) : NULL;
    if (states[i].kind == IIMG_UNAVAILABLE) {
        err->code = "database_down";
    }
    /* The primary message only: DETAIL holds the row's values. */
    return iimg_error_detail(err, "%s: %s", label, text ? text : PQresultErrorMessage(result));
}

static bool worth_another_try(const iimg_error_t *err)
{
    size_t i = 0;

    if (!err->sqlstate) {
        return false;
    }
    while (strncmp(err->sqlstate, states[i].prefix, strlen(states[i].prefix)) != 0) {
        i++;
    }
    return states[i].again;
}

/* Waits for the socket. @return false when the deadline has passed or the wait itself failed */
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

static bool flush(PGconn *pg, apr_time_t deadline)
{
    int rc;

    while ((rc = PQflush(pg)) > 0) {
        if (!wait_for(pg, POLLIN | POLLOUT, deadline) || !PQconsumeInput(pg)) {
            return false;
        }
    }
    return rc == 0;
}

/* Reads until a result is whole. @return false when time ran out */
static bool arrived(PGconn *pg, apr_time_t deadline)
{
    while (PQisBusy(pg)) {
        if (!wait_for(pg, POLLIN, deadline)) {
            return false;
        }
        if (!PQconsumeInput(pg)) {
            break;          /* the connection is gone: PQgetResult says so */
        }
    }
    return true;
}

/* The last result of what was sent; NULL when the connection was dead already, or when time ran
 * out: then it is broken off. */
static PGresult *answer(iimg_db_connection_t *connection, apr_time_t deadline)
{
    PGresult *last = NULL, *one;

    if (!flush(connection->pg, deadline)) {
        if (!is_lost(connection)) {
            break_off(connection);
        }
        return NULL;
    }
    for (;;) {
        if (!arrived(connection->pg, deadline)) {
            PQclear(last);
            break_off(connection);
            return NULL;
        }
        one = PQgetResult(connection->pg);
        if (!one) {
            return last;
        }
        PQclear(last);
        last = one;
    }
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static apr_time_t deadline_of(const iimg_context_t *context)
{
    return apr_time_now() + apr_time_from_sec(context->db->timeout);
}

static iimg_error_t *outcome(iimg_context_t *context, const char *label, PGresult *result)
{
    iimg_error_t *err = NULL;

    if (!result) {
        bool timed_out = context->connection->timed_out;

        err = lost(context, label, timed_out ? "no answer in time" : "the connection was lost");
        err->sqlstate = timed_out ? NULL : "08006";
        return err;
    }
    if (!succeeded(result)) {
        err = failed(context, label, result);
        PQclear(result);
    }
    return err;
}

static iimg_error_t *prepare(iimg_context_t *context, const iimg_statement_t *statement)
{
    iimg_db_connection_t *connection = context->connection;
    PGresult *result = NULL;
    iimg_error_t *err;

    if (apr_hash_get(connection->prepared, statement->label, APR_HASH_KEY_STRING)) {
        return NULL;
    }
    if (PQsendPrepare(connection->pg, statement->label, statement->sql, 0, NULL)) {
        result = answer(connection, deadline_of(context));
    }
    err = outcome(context, statement->label, result);
    if (err) {
        return err;
    }
    PQclear(result);
    apr_hash_set(connection->prepared, statement->label, APR_HASH_KEY_STRING, statement);
    return NULL;
}

static iimg_error_t *run(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, PGresult **result)
{
    PGconn *pg = context->connection->pg;
    iimg_error_t *err = NULL;
    int sent;

    *result = NULL;
    if (context->db->prepare) {
        err = prepare(context, statement);
        if (err) {
            return err;
        }
        sent = PQsendQueryPrepared(pg, statement->label, count, params, NULL, NULL, 0);
    }
    else {
        sent = PQsendQueryParams(pg, statement->sql, count, NULL, params, NULL, NULL, 0);
    }
    if (sent) {
        *result = answer(context->connection, deadline_of(context));
    }
    err = outcome(context, statement->label, *result);
    if (err && err->sqlstate && (strcmp(err->sqlstate, "26000") == 0
                                 || strcmp(err->sqlstate, "0A000") == 0)) {
        /* The backend no longer has what we prepared, or a migration changed it: start over. */
        context->connection->stale = true;
    }
    return err;
}

static iimg_error_t *command(iimg_context_t *context, const char *sql, const char *tag)
{
    PGresult *result = NULL;
    iimg_error_t *err;

    if (PQsendQuery(context->connection->pg, sql)) {
        result = answer(context->connection, deadline_of(context));
    }
    err = outcome(context, sql, result);
    if (err) {
        return err;
    }
    /* COMMIT of a failed transaction answers success with the tag ROLLBACK. */
    if (strcmp(PQcmdStatus(result), tag) != 0) {
        err = iimg_error_detail(iimg_error(context->pool, IIMG_INTERNAL, "Internal server error"),
                                "%s answered %s", sql, PQcmdStatus(result));
    }
    PQclear(result);
    return err;
}

static void forget_prepared(iimg_context_t *context)
{
    apr_hash_clear(context->connection->prepared);
    if (command(context, "DEALLOCATE ALL", "DEALLOCATE ALL")) {
        break_off(context->connection);
    }
}

static void give_back(iimg_context_t *context)
{
    iimg_db_connection_t *connection = context->connection;

    if (connection->stale && !is_lost(connection)) {
        forget_prepared(context);
    }
    context->connection = NULL;
    context->db->give_back(context, connection);
}

static iimg_error_t *query_once(iimg_context_t *context, const iimg_statement_t *statement,
                                int count, const char *const *params, PGresult **result)
{
    iimg_error_t *err = context->db->borrow(context, &context->connection);

    *result = NULL;
    if (err) {
        return err;
    }
    err = run(context, statement, count, params, result);
    give_back(context);
    return err;
}

static apr_status_t drop_result(void *data)
{
    PQclear(data);
    return APR_SUCCESS;
}

/* @return bytes of all values, with a NUL behind each */
static apr_size_t bytes_of(const PGresult *result)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    apr_size_t bytes = 0;

    for (int i = 0; i < rows * columns; i++) {
        bytes += (apr_size_t)PQgetlength(result, i / columns, i % columns) + 1;
    }
    return bytes;
}

static void copy_values(apr_pool_t *pool, iimg_rows_t *rows, apr_size_t bytes)
{
    int count = rows->count * rows->columns;
    char *to = apr_palloc(pool, count * sizeof(*rows->values) + bytes);

    rows->values = (const char **)to;
    to += count * sizeof(*rows->values);
    for (int i = 0; i < count; i++) {
        int row = i / rows->columns, column = i % rows->columns;
        apr_size_t length = (apr_size_t)PQgetlength(rows->result, row, column) + 1;

        rows->values[i] = NULL;
        if (!PQgetisnull(rows->result, row, column)) {
            rows->values[i] = memcpy(to, PQgetvalue(rows->result, row, column), length);
            to += length;
        }
    }
}

/* A result of one row takes 4 KB of libpq's, and some requests that wait for minutes have asked for a
 * dozen: what is small is copied. */
static iimg_rows_t *rows_create(apr_pool_t *pool, PGresult *result)
{
    iimg_rows_t *rows = apr_pcalloc(pool, sizeof(*rows));
    apr_size_t bytes = 0;

    rows->result = result;
    rows->columns = PQnfields(result);
    rows->count = PQntuples(result);
    rows->affected = atoi(PQcmdTuples(result));
    if (rows->count * rows->columns <= MOST_COPIED
        && (bytes = bytes_of(result)) <= MOST_COPIED_BYTES) {
        copy_values(pool, rows, bytes);
        rows->result = NULL;
        PQclear(result);
    }
    else {
        apr_pool_cleanup_register(pool, result, drop_result, apr_pool_cleanup_null);
    }
    return rows;
}

iimg_error_t *iimg_db_query(iimg_context_t *context, const iimg_statement_t *statement, int count,
                            const char *const *params, iimg_rows_t **rows)
{
    apr_time_t began = iimg_step_begin(context);
    PGresult *result = NULL;
    iimg_error_t *err;
    int tries = 0;

    if (context->connection) {
        err = run(context, statement, count, params, &result);
    }
    else {
        do {
            err = query_once(context, statement, count, params, &result);
        } while (err && worth_another_try(err) && ++tries < MAX_TRIES);
    }
    iimg_step_end(context, began, "sql", statement->label);
    if (!err && rows) {
        *rows = rows_create(context->pool, result);
    }
    else if (!err) {
        PQclear(result);
    }
    return err;
}

/* Transactions -------------------------------------------------------------------------------- */

static iimg_error_t *commit(iimg_context_t *context)
{
    iimg_error_t *err;

    (void)IIMG_FAULT("db.commit");
    err = command(context, "COMMIT", "COMMIT");
    (void)IIMG_FAULT("db.committed");
    if (err && (is_lost(context->connection) || context->connection->timed_out)) {
        context->lost_commit = true;
        err->message = "The database went away before it confirmed the change. "
                       "Please look whether it was made before you try again.";
    }
    return err;
}

static iimg_error_t *transaction_once(iimg_context_t *context, iimg_db_step_fn step, void *baton,
                                      bool *again)
{
    iimg_error_t *err = context->db->borrow(context, &context->connection);

    *again = false;
    if (err) {
        return err;
    }
    err = command(context, "BEGIN", "BEGIN");
    if (!err) {
        err = step(context, baton);
    }
    if (!err) {
        err = commit(context);
    }
    if (err) {
        *again = worth_another_try(err) && !context->lost_commit;
        if (!is_lost(context->connection)
            && PQtransactionStatus(context->connection->pg) != PQTRANS_IDLE) {
            (void)command(context, "ROLLBACK", "ROLLBACK");
        }
    }
    give_back(context);
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
            PQclear(answer(connection, apr_time_now() + apr_time_from_sec(db->timeout)));
        }
        if (PQtransactionStatus(connection->pg) != PQTRANS_IDLE && !is_lost(connection)) {
            break_off(connection);
        }
    }
    return !is_lost(connection);
}

/* Values -------------------------------------------------------------------------------------- */

const char *iimg_rows_text(const iimg_rows_t *rows, int row, int column)
{
    if (!rows->result) {
        return rows->values[row * rows->columns + column];
    }
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

bool iimg_rows_bool(const iimg_rows_t *rows, int row, int column)
{
    const char *text = iimg_rows_text(rows, row, column);

    return text && text[0] == 't';
}

long long iimg_rows_integer(const iimg_rows_t *rows, int row, int column)
{
    const char *text = iimg_rows_text(rows, row, column);

    return text ? atoll(text) : 0;
}

/* One element from *text on, quoted or bare; *text is moved behind it. */
static const char *array_element(apr_pool_t *pool, const char **text)
{
    char *out = apr_palloc(pool, strlen(*text) + 1);
    char *to = out;
    const char *from = *text;
    bool quoted = *from == '"';

    from += quoted;
    while (*from && (quoted ? *from != '"' : (*from != ',' && *from != '}'))) {
        from += *from == '\\' && from[1];
        *to++ = *from++;
    }
    from += quoted && *from;
    *to = '\0';
    *text = from;
    return out;
}

apr_array_header_t *iimg_db_array_parse(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *items = apr_array_make(pool, 4, sizeof(const char *));

    if (!text || *text != '{') {
        return items;
    }
    text++;
    while (*text && *text != '}') {
        APR_ARRAY_PUSH(items, const char *) = array_element(pool, &text);
        text += *text == ',';
    }
    return items;
}

const char *iimg_db_array_format(apr_pool_t *pool, const apr_array_header_t *items)
{
    apr_size_t size = 3;
    char *out, *to;

    for (int i = 0; i < items->nelts; i++) {
        size += 2 * strlen(APR_ARRAY_IDX(items, i, const char *)) + 3;
    }
    to = out = apr_palloc(pool, size);
    *to++ = '{';
    for (int i = 0; i < items->nelts; i++) {
        if (i) {
            *to++ = ',';
        }
        *to++ = '"';
        for (const char *p = APR_ARRAY_IDX(items, i, const char *); *p; p++) {
            if (*p == '"' || *p == '\\') {
                *to++ = '\\';
            }
            *to++ = *p;
        }
        *to++ = '"';
    }
    *to++ = '}';
    *to = '\0';
    return out;
}
