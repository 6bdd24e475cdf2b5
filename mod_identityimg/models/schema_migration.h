/* schema_migration.h - whether the database has the schema that this build works with. */
#ifndef IIMG_MODELS_SCHEMA_MIGRATION_H
#define IIMG_MODELS_SCHEMA_MIGRATION_H

#include "base/context.h"
#include "base/error.h"

/** The newest of sql/migrations that this build needs. */
#define IIMG_MIGRATION 12

/**
 * Check the applied migrations: all that this build needs, and of later ones only such that declare
 * themselves compatible with it (schema_migrations.compatible_from). Lenders of connections call
 * it. Errors: IIMG_UNAVAILABLE; code database_schema: the detail says what to run.
 */
iimg_error_t *iimg_schema_migration_check(iimg_context_t *context);

#endif
