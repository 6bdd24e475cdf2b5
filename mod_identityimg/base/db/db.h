/* db.h - running SQL statements on a borrowed PostgreSQL connection, with deadlines and retries. */
#ifndef IIMG_BASE_DB_DB_H
#define IIMG_BASE_DB_DB_H

#include <stdbool.h>
#include <apr_hash.h>
#include <libpq-fe.h>
#include "base/context.h"
#include "base/error.h"

/** A named statement: prepared once per connection, under its label, when first used there. */
typedef struct iimg_statement_t {
    const char *label; /* begins with iimg_; unique */
    const char *sql;   /* parameters $1, $2, ... with casts */
} iimg_statement_t;

/** A statement's label and its SQL. A macro, so that clang-format leaves the lines of SQL as they
 * are. */
#define IIMG_STATEMENT(label, ...) \
    { \
        label, __VA_ARGS__ \
    }

/** A connection while it is lent. */
typedef struct iimg_db_connection_t {
    PGconn *pg;
    apr_hash_t *prepared; /* labels of the statements prepared on this backend */
    void *owner;          /* what the lender needs to take it back */
    bool stale;           /* what is prepared there must be forgotten before it is lent again */
    bool timed_out;       /* we gave up waiting and broke it off */
} iimg_db_connection_t;

/** Who lends connections: server/database/database.c within httpd, a plain connection in tools and
 * tests. */
typedef struct iimg_db_t {
    /**
     * Lend a connection that is alive and outside any transaction. Waits a bounded time.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*borrow)(iimg_context_t *context, iimg_db_connection_t **connection);
    void (*give_back)(iimg_context_t *context, iimg_db_connection_t *connection);
    /**
     * Check whether the database of a connection that was just lent has the right schema; the
     * context has the connection. NULL: no check. Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*check)(iimg_context_t *context);
    bool prepare; /* false: unnamed statements, as transaction poolers need */
    int timeout;  /* seconds that one statement may take, on our side */
} iimg_db_t;

/** Rows that a statement answered; their memory lives with the context's pool. */
typedef struct iimg_rows_t {
    PGresult *result;    /* many: as they came; NULL: copied */
    const char **values; /* few: row by row, NULL is SQL NULL */
    int columns;
    int count;    /* rows */
    int affected; /* rows changed, for INSERT, UPDATE, DELETE */
} iimg_rows_t;

/** Parameters of a statement: all text, NULL is SQL NULL. */
#define IIMG_PARAMS(...) \
    (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *)), (const char *const[]) \
    { \
        __VA_ARGS__ \
    }

/**
 * Run one statement. Within iimg_db_transaction it runs there; else on a connection borrowed for
 * this statement alone, again on another one (at most 3 times in all) when the connection turns out
 * dead: outside a transaction use it only for what may run twice. Errors: IIMG_UNAVAILABLE (no
 * database, too slow), IIMG_INTERNAL; sqlstate and constraint are set where PostgreSQL named them.
 */
iimg_error_t *iimg_db_query(iimg_context_t *context, const iimg_statement_t *statement, int count,
                            const char *const *params, iimg_rows_t **rows);

/** A step of a transaction. Must be repeatable: its outputs are written anew at each try. */
typedef iimg_error_t *(*iimg_db_step_fn)(iimg_context_t *context, void *baton);

/**
 * Run step within one transaction: commits when it returns NULL, else rolls back and returns its
 * error. Repeated (at most 3 times) when the connection dies before COMMIT was sent, on deadlock
 * and on serialization failure. When the answer to COMMIT itself is lost, the error is
 * IIMG_UNAVAILABLE and context->lost_commit is set: it may have happened.
 */
iimg_error_t *iimg_db_transaction(iimg_context_t *context, iimg_db_step_fn step, void *baton);

/**
 * Bring a connection into the state in which it is lent: roll back a transaction that somebody left
 * open. For lenders. @return false when it does not answer
 */
bool iimg_db_settle(const iimg_db_t *db, iimg_db_connection_t *connection);

/** @return the value as text, NULL for SQL NULL; lives with the rows */
const char *iimg_rows_text(const iimg_rows_t *rows, int row, int column);
bool iimg_rows_bool(const iimg_rows_t *rows, int row, int column);         /* NULL is false */
long long iimg_rows_integer(const iimg_rows_t *rows, int row, int column); /* NULL is 0 */

#endif
