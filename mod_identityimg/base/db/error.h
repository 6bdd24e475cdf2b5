/* error.h - map PostgreSQL's errors to error kinds, and decide on retries. */
#ifndef IIMG_BASE_DB_ERROR_H
#define IIMG_BASE_DB_ERROR_H

#include <stdbool.h>
#include <libpq-fe.h>
#include "base/context.h"
#include "base/error.h"

/** Make IIMG_UNAVAILABLE for a lost connection. @param label of the statement */
iimg_error_t *iimg_db_lost(iimg_context_t *context, const char *label, const char *why);

/** Make the error of a result by its SQLSTATE, with the constraint that it names. */
iimg_error_t *iimg_db_failed(iimg_context_t *context, const char *label, const PGresult *result);

/** Make IIMG_UNAVAILABLE, code database_schema, for a schema that does not match this build. */
iimg_error_t *iimg_db_wrong_schema(iimg_context_t *context, const char *detail, ...)
    __attribute__((format(printf, 2, 3)));

/** Whether an error comes from iimg_db_wrong_schema. */
bool iimg_db_is_schema_error(const iimg_error_t *err);

/** Whether an immediate retry may succeed. */
bool iimg_db_may_succeed_again(const iimg_error_t *err);

#endif
