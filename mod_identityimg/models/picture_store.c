/* picture_store.c - which picture store belongs to the database: the one row of picture_store. */
#include "models/picture_store.h"

#include "base/db/db.h"

static const iimg_statement_t get = IIMG_STATEMENT(
    "iimg_picture_store_get",
    "SELECT id, marked_at IS NOT NULL FROM picture_store");

static const iimg_statement_t propose = IIMG_STATEMENT(
    "iimg_picture_store_propose",
    "INSERT INTO picture_store (id) VALUES ($1::uuid) ON CONFLICT (singleton) DO NOTHING");

static const iimg_statement_t confirm = IIMG_STATEMENT(
    "iimg_picture_store_confirm",
    "UPDATE picture_store SET marked_at = now() WHERE id = $1::uuid AND marked_at IS NULL");

static const iimg_statement_t adopt = IIMG_STATEMENT(
    "iimg_picture_store_adopt",
    "INSERT INTO picture_store (id, marked_at) VALUES ($1::uuid, now())"
    " ON CONFLICT (singleton) DO UPDATE SET id = EXCLUDED.id, created_at = now(), marked_at = now()");

iimg_error_t *iimg_picture_store_get(iimg_context_t *context, iimg_picture_store_t *store)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &get, 0, NULL, &rows);

    if (err) {
        return err;
    }
    store->id = rows->count > 0 ? iimg_rows_text(rows, 0, 0) : NULL;
    store->marked = rows->count > 0 && iimg_rows_bool(rows, 0, 1);
    return NULL;
}

iimg_error_t *iimg_picture_store_propose(iimg_context_t *context, const char *id,
                                         iimg_picture_store_t *store)
{
    iimg_error_t *err = iimg_db_query(context, &propose, IIMG_PARAMS(id), NULL);

    if (err) {
        return err;
    }
    return iimg_picture_store_get(context, store);
}

iimg_error_t *iimg_picture_store_confirm(iimg_context_t *context, const char *id)
{
    return iimg_db_query(context, &confirm, IIMG_PARAMS(id), NULL);
}

iimg_error_t *iimg_picture_store_adopt(iimg_context_t *context, const char *id)
{
    return iimg_db_query(context, &adopt, IIMG_PARAMS(id), NULL);
}
