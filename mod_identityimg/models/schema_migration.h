/* schema_migration.h - checks that the database has the schema of this build. */
#ifndef IIMG_MODELS_SCHEMA_MIGRATION_H
#define IIMG_MODELS_SCHEMA_MIGRATION_H

#include "base/context.h"
#include "base/error.h"

/** The newest migration in sql/migrations that this build needs. */
#define IIMG_MIGRATION 12

/**
 * Check that all migrations that this build needs are applied, and that later ones are compatible
 * with it (schema_migrations.compatible_from). Called for each new connection.
 * Errors: IIMG_UNAVAILABLE; code database_schema: the detail names the command to run.
 */
iimg_error_t *iimg_schema_migration_check(iimg_context_t *context);

#endif
