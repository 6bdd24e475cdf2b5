/* adopt_store.c - bind the configured store to the database, on the operator's request. */
#include "functions/admin/adopt_store.h"

#include <string.h>
#include <apr_strings.h>
#include "base/uuid.h"
#include "functions/shared/store_identity.h"
#include "functions/shared/store_resembles.h"
#include "models/picture_store.h"
#include "services/services.h"

static iimg_error_t *doubtful(iimg_context_t *context, const char *doubt)
{
    return iimg_error(context->pool, IIMG_CONFLICT,
                      "%s %s. Nothing was changed. Check that database "
                      "and store belong together; then add --force.",
                      iimg_store_place(context->pool, &context->services->storage), doubt);
}

/* The marker gets the database's id of its store, which is created if there is none. */
static iimg_error_t *mark_store(iimg_context_t *context, const char **id)
{
    iimg_picture_store_t row;
    iimg_error_t *err = iimg_picture_store_propose(context, iimg_uuid_create(context->pool), &row);

    if (err) {
        return err;
    }
    return iimg_store_mark(context, row.id, id);
}

iimg_error_t *iimg_adopt_store(iimg_context_t *context, bool force, const char **id)
{
    const iimg_storage_t *storage = &context->services->storage;
    const char *text, *doubt;
    iimg_error_t *err = storage->driver->read_marker(context, storage, &text);

    if (err) {
        return err;
    }
    err = iimg_store_resembles(context, &doubt);
    if (err) {
        return err;
    }
    if (doubt && !force) {
        return doubtful(context, doubt);
    }
    *id = text ? iimg_store_marker_id(context->pool, text) : NULL;
    err = text ? NULL : mark_store(context, id);
    if (err) {
        return err;
    }
    if (!*id) {
        return iimg_error(context->pool, IIMG_CONFLICT,
                          "%s: " IIMG_STORE_MARKER " is not "
                          "valid. Restore it from a backup, or remove it, and try again.",
                          iimg_store_place(context->pool, storage));
    }
    return iimg_picture_store_adopt(context, *id);
}
