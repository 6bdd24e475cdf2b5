/* error.h - what PostgreSQL's failures mean to a client, and whether to try again. */
#ifndef IIMG_BASE_DB_ERROR_H
#define IIMG_BASE_DB_ERROR_H

#include <stdbool.h>
#include <libpq-fe.h>
#include "base/context.h"
#include "base/error.h"

/** @return IIMG_UNAVAILABLE: there is no connection, or no longer. @param label what was to run */
iimg_error_t *iimg_db_lost(iimg_context_t *context, const char *label, const char *why);

/** @return the error that a result stands for, by its SQLSTATE; the constraint, if it names one */
iimg_error_t *iimg_db_failed(iimg_context_t *context, const char *label, const PGresult *result);

/** @return IIMG_UNAVAILABLE, code database_schema: the schema is not this build's; the rest is its
 * detail */
iimg_error_t *iimg_db_wrong_schema(iimg_context_t *context, const char *detail, ...)
    __attribute__((format(printf, 2, 3)));

/** Whether an error is that the schema is not this build's. */
bool iimg_db_is_schema_error(const iimg_error_t *err);

/** Whether the same work may succeed at once. */
bool iimg_db_may_succeed_again(const iimg_error_t *err);

#endif
