/* schema_migration.h - which migrations the database has: rows of schema_migrations. */
#ifndef IIMG_SCHEMA_MIGRATION_H
#define IIMG_SCHEMA_MIGRATION_H

#include "base/context.h"
#include "base/error.h"

/** The newest of sql/migrations that this build needs. */
#define IIMG_MIGRATION 12

/** The newest applied, 0 for none. Errors: IIMG_UNAVAILABLE, IIMG_INTERNAL (no such table). */
iimg_error_t *iimg_schema_migration_newest(iimg_context_t *context, int *newest);

#endif
