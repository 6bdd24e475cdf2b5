/* stored_object.c - the manifest: every object in the store has a row here before it is written. */
#include "models/stored_object.h"

#include <apr_strings.h>

static const iimg_statement_t announce = {
    "iimg_stored_object_announce",
    "INSERT INTO stored_objects (key, picture, state)"
    " SELECT key, $1::uuid, 'pending' FROM unnest($2::text[]) AS key"
    " ON CONFLICT (key) DO NOTHING"
};

static const iimg_statement_t publish = {
    "iimg_stored_object_publish",
    "UPDATE stored_objects SET state = 'live', changed_at = now()"
    " WHERE picture = $1::uuid AND state = 'pending'"
};

static const iimg_statement_t abandon = {
    "iimg_stored_object_abandon",
    "UPDATE stored_objects SET state = 'doomed', changed_at = now()"
    " WHERE picture = $1::uuid AND state = 'pending'"
};

static const iimg_statement_t expire = {
    "iimg_stored_object_expire",
    "WITH let_go AS ("
    "    UPDATE identities SET previous_image = NULL, previous_image_sized = NULL"
    "     WHERE id IN (SELECT i.id FROM identities i"
    "                    JOIN stored_objects o ON o.key = i.previous_image"
    "                   WHERE o.state = 'held' AND o.held_until < now() LIMIT 100)"
    "    RETURNING id)"
    " UPDATE stored_objects SET state = 'doomed', changed_at = now()"
    " WHERE state = 'pending' AND changed_at < now() - interval '1 hour'"
};

static const iimg_statement_t doomed = {
    "iimg_stored_object_doomed",
    "SELECT key FROM stored_objects WHERE state = 'doomed' ORDER BY changed_at, key"
    " LIMIT $1::integer"
};

static const iimg_statement_t forget = {
    "iimg_stored_object_forget",
    "DELETE FROM stored_objects WHERE key = $1::text AND state = 'doomed'"
};

iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys)
{
    return iimg_db_query(context, &announce,
                         IIMG_PARAMS(picture, iimg_db_array_format(context->pool, keys)), NULL);
}

iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &publish, IIMG_PARAMS(picture), &rows);

    if (!err && rows->affected != count) {
        err = iimg_error_detail(iimg_error(context->pool, IIMG_UNAVAILABLE,
                                           "Storing the picture took too long. "
                                           "Nothing was changed."),
                                "%d of %d objects of %s were still pending", rows->affected, count,
                                picture);
    }
    return err;
}

iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture)
{
    return iimg_db_query(context, &abandon, IIMG_PARAMS(picture), NULL);
}

iimg_error_t *iimg_stored_object_expire(iimg_context_t *context)
{
    return iimg_db_query(context, &expire, 0, NULL, NULL);
}

iimg_error_t *iimg_stored_object_doomed(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &doomed,
                                      IIMG_PARAMS(apr_itoa(context->pool, limit)), &rows);

    *keys = apr_array_make(context->pool, limit, sizeof(const char *));
    for (int row = 0; !err && row < rows->count; row++) {
        APR_ARRAY_PUSH(*keys, const char *) = iimg_rows_text(rows, row, 0);
    }
    return err;
}

iimg_error_t *iimg_stored_object_forget(iimg_context_t *context, const char *key)
{
    return iimg_db_query(context, &forget, IIMG_PARAMS(key), NULL);
}
