/* rows.h - create results of statements. For base/db/db.c only; see base/db/db.h. */
#ifndef IIMG_BASE_DB_ROWS_H
#define IIMG_BASE_DB_ROWS_H

#include "base/db/db.h"

/** Take ownership of a libpq result. @return the rows, allocated from pool */
iimg_rows_t *iimg_rows_create(apr_pool_t *pool, PGresult *result);

#endif
