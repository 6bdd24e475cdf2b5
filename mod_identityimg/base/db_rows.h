/* db_rows.h - what a statement answered, as rows. For base/db.c; others see base/db.h. */
#ifndef IIMG_DB_ROWS_H
#define IIMG_DB_ROWS_H

#include "base/db.h"

/** Take over a result: it is gone, or ends with the pool. @return lives as long as the pool */
iimg_rows_t *iimg_rows_create(apr_pool_t *pool, PGresult *result);

#endif
