/* schema_migration.c - checks that the database has the schema of this build. */
#include "models/schema_migration.h"

#include <apr_strings.h>
#include "base/db/db.h"
#include "base/db/error.h"

/* Read as a member of JSON, since older databases lack the column. */
static const iimg_statement_t applied = IIMG_STATEMENT(
    "iimg_schema_migration_applied",
    "SELECT coalesce(max(m.version), 0),"
    "       max(CASE WHEN m.version > $1::integer"
    "                THEN coalesce((to_jsonb(m) ->> 'compatible_from')::integer, m.version) END)"
    "  FROM schema_migrations m");

iimg_error_t *iimg_schema_migration_check(iimg_context_t *context)
{
    int newest, compatible_from;
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &applied,
                                      IIMG_PARAMS(apr_itoa(context->pool, IIMG_MIGRATION)), &rows);

    if (err && !iimg_db_may_succeed_again(err)
        && (err->kind != IIMG_UNAVAILABLE || (iimg_db_is_schema_error(err) && err->sqlstate))) {
        return iimg_db_wrong_schema(context,
                                    "the database: the table schema_migrations cannot be read: "
                                    "run scripts/migrate: %s",
                                    err->detail);
    }
    if (err) {
        return err;
    }
    newest = (int)iimg_rows_integer(rows, 0, 0);
    compatible_from = (int)iimg_rows_integer(rows, 0, 1);
    if (newest < IIMG_MIGRATION) {
        return iimg_db_wrong_schema(context,
                                    "the database has migration %d, this build needs %d: run "
                                    "scripts/migrate",
                                    newest, IIMG_MIGRATION);
    }
    if (compatible_from > IIMG_MIGRATION) {
        return iimg_db_wrong_schema(
            context,
            "the database has migration %d, which does not declare "
            "itself compatible with this build, made for %d: install the newer "
            "mod_identityimg",
            newest, IIMG_MIGRATION);
    }
    return NULL;
}
