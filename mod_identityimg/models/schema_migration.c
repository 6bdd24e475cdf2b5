/* schema_migration.c - which migrations the database has: rows of schema_migrations. */
#include "models/schema_migration.h"

#include "base/db.h"

static const iimg_statement_t newest_of_all = {
    "iimg_schema_migration_newest",
    "SELECT coalesce(max(version), 0) FROM schema_migrations"
};

iimg_error_t *iimg_schema_migration_newest(iimg_context_t *context, int *newest)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &newest_of_all, 0, NULL, &rows);

    *newest = err ? 0 : (int)iimg_rows_integer(rows, 0, 0);
    return err;
}
