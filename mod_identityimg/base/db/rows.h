/* rows.h - what a statement answered, as rows. For base/db/db.c; others see base/db/db.h. */
#ifndef IIMG_BASE_DB_ROWS_H
#define IIMG_BASE_DB_ROWS_H

#include "base/db/db.h"

/** Take over a result: it is gone, or ends with the pool. @return lives as long as the pool */
iimg_rows_t *iimg_rows_create(apr_pool_t *pool, PGresult *result);

#endif
