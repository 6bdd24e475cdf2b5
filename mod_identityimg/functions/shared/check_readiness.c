/* check_readiness.c - whether work that comes in now could be done: database, tables, store. */
#include "functions/shared/check_readiness.h"

#include "base/db/error.h"
#include "functions/shared/store_identity.h"
#include "models/schema_migration.h"
#include "services/services.h"

static iimg_error_t *not_ready(iimg_context_t *context)
{
    return iimg_error(context->pool, IIMG_NOT_READY, "This server is not ready.");
}

static iimg_error_t *check_database(iimg_context_t *context)
{
    iimg_error_t *err = iimg_schema_migration_check(context);

    if (err) {
        return iimg_error_detail(not_ready(context), "%s%s",
                                 iimg_db_is_schema_error(err) ? "" : "the database: ",
                                 err->detail ? err->detail : err->message);
    }
    return NULL;
}

iimg_error_t *iimg_check_readiness(iimg_context_t *context)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = check_database(context);
    const char *problem;

    if (err) {
        return err;
    }
    problem = storage->driver->ready ? storage->driver->ready(context, storage) : NULL;
    if (!problem) {
        err = iimg_store_ready(context);
        problem = err ? err->detail : NULL;
    }
    return problem ? iimg_error_detail(not_ready(context), "the store: %s", problem) : NULL;
}
