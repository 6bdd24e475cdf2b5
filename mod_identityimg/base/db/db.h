/* db.h - run SQL statements on a borrowed PostgreSQL connection, with deadlines and retries. */
#ifndef IIMG_BASE_DB_DB_H
#define IIMG_BASE_DB_DB_H

#include <stdbool.h>
#include <apr_hash.h>
#include <libpq-fe.h>
#include "base/context.h"
#include "base/error.h"

/** A named statement, prepared under its label at its first use on a connection. */
typedef struct iimg_statement_t {
    const char *label; /* begins with iimg_; unique */
    const char *sql;   /* parameters $1, $2, ... with casts */
} iimg_statement_t;

/** A statement's label and SQL. A macro, so that clang-format does not change the lines of SQL. */
#define IIMG_STATEMENT(label, ...) \
    { \
        label, __VA_ARGS__ \
    }

/** A borrowed connection. */
typedef struct iimg_db_connection_t {
    PGconn *pg;
    apr_hash_t *prepared; /* labels of the statements prepared on this backend */
    void *owner;          /* for the lender */
    bool stale;           /* drop the prepared statements before the next use */
    bool timed_out;       /* closed after a deadline */
} iimg_db_connection_t;

/** A lender of connections: server/database/database.c in httpd, a single connection in tools and
 * tests. */
typedef struct iimg_db_t {
    /**
     * Lend a working connection outside any transaction. Waits for a limited time.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*borrow)(iimg_context_t *context, iimg_db_connection_t **connection);
    void (*give_back)(iimg_context_t *context, iimg_db_connection_t *connection);
    /**
     * Check the schema of the database of context->connection. NULL: no check. Errors:
     * IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*check)(iimg_context_t *context);
    bool prepare; /* false: unnamed statements, for transaction poolers */
    int timeout;  /* seconds per statement, measured by the client */
} iimg_db_t;

/** The result of a statement, allocated from the context's pool. */
typedef struct iimg_rows_t {
    PGresult *result;    /* a large result; NULL: copied to values */
    const char **values; /* a small result, row by row; NULL is SQL NULL */
    int columns;
    int count;    /* rows */
    int affected; /* rows changed, for INSERT, UPDATE, DELETE */
} iimg_rows_t;

/** Parameters of a statement, as text; NULL is SQL NULL. */
#define IIMG_PARAMS(...) \
    (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *)), (const char *const[]) \
    { \
        __VA_ARGS__ \
    }

/**
 * Run a statement, within the transaction if there is one. Otherwise it borrows a connection, and
 * runs up to 3 times when connections are dead: use it only for statements that may run twice.
 * Errors: IIMG_UNAVAILABLE (no database, too slow), IIMG_INTERNAL; with PostgreSQL's sqlstate and
 * constraint, if any.
 */
iimg_error_t *iimg_db_query(iimg_context_t *context, const iimg_statement_t *statement, int count,
                            const char *const *params, iimg_rows_t **rows);

/** The body of a transaction. It may run several times and must reset its outputs. */
typedef iimg_error_t *(*iimg_db_step_fn)(iimg_context_t *context, void *baton);

/**
 * Run a step in a transaction. Commits when the step returns NULL, otherwise rolls back and returns
 * its error. Retries (3 times in all) after a deadlock, after a serialization failure, and when the
 * connection is lost before COMMIT is sent. When the result of COMMIT is lost, returns
 * IIMG_UNAVAILABLE and sets context->lost_commit: the transaction may have committed.
 */
iimg_error_t *iimg_db_transaction(iimg_context_t *context, iimg_db_step_fn step, void *baton);

/**
 * Prepare a connection for a borrower: roll back an open transaction. For lenders.
 * @return false when the connection does not respond
 */
bool iimg_db_settle(const iimg_db_t *db, iimg_db_connection_t *connection);

/** @return the value as text, valid as long as the rows; NULL for SQL NULL */
const char *iimg_rows_text(const iimg_rows_t *rows, int row, int column);
bool iimg_rows_bool(const iimg_rows_t *rows, int row, int column);         /* NULL is false */
long long iimg_rows_integer(const iimg_rows_t *rows, int row, int column); /* NULL is 0 */

#endif
