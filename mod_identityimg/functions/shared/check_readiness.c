/* check_readiness.c - check that the server can handle new requests. */
#include "functions/shared/check_readiness.h"

#include "base/db/error.h"
#include "functions/shared/store_identity.h"
#include "models/schema_migration.h"
#include "services/services.h"

static iimg_error_t *not_ready(iimg_context_t *context, const char *component, const char *problem)
{
    return iimg_error_with_detail(context->pool, IIMG_NOT_READY, NULL, "This server is not ready.",
                                  "%s%s", component, problem);
}

static iimg_error_t *check_database(iimg_context_t *context)
{
    iimg_error_t *err = iimg_schema_migration_check(context);

    if (!err) {
        return NULL;
    }
    return not_ready(context, iimg_db_is_schema_error(err) ? "" : "the database: ",
                     err->detail ? err->detail : err->message);
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
    return problem ? not_ready(context, "the store: ", problem) : NULL;
}
