/* identity.c - who somebody is becoming: rows of identities. */
#include "models/identity.h"

#include <string.h>
#include "base/db/array.h"

#define COLUMNS \
    "i.id, i.user_id, i.name, i.category, i.i_am_statement, i.visualization, i.notes, i.image, " \
    "i.image_sized, i.version, i.created_at, i.updated_at"

static const iimg_statement_t list_of_caller = IIMG_STATEMENT(
    "iimg_identity_list_of_caller",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN identities i ON i.user_id = c.id"
    " WHERE " IIMG_CALLER_IS " ORDER BY i.created_at, i.id");

static const iimg_statement_t list_of_test_user = IIMG_STATEMENT(
    "iimg_identity_list_of_test_user",
    "SELECT " IIMG_CALLER_COLUMNS ", "
    "       c.is_staff AND EXISTS (SELECT FROM test_scenarios WHERE user_id = $3::uuid), " COLUMNS
    "  FROM users c LEFT JOIN identities i"
    "    ON c.is_staff AND i.user_id = $3::uuid"
    "       AND EXISTS (SELECT FROM test_scenarios WHERE user_id = $3::uuid)"
    " WHERE " IIMG_CALLER_IS " ORDER BY i.created_at, i.id");

static const iimg_statement_t list_categories = IIMG_STATEMENT(
    "iimg_identity_categories",
    "SELECT " IIMG_CALLER_COLUMNS ","
    "       ARRAY(SELECT DISTINCT category COLLATE \"C\" FROM identities ORDER BY 1)"
    "  FROM users c WHERE " IIMG_CALLER_IS);

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_identity_by_id", "SELECT " COLUMNS " FROM identities i WHERE i.id = $1::uuid");

static const iimg_statement_t lock_row = IIMG_STATEMENT(
    "iimg_identity_lock",
    "SELECT " COLUMNS " FROM identities i WHERE i.id = $1::uuid FOR NO KEY UPDATE");

static const iimg_statement_t set_picture = IIMG_STATEMENT(
    "iimg_identity_set_picture",
    "UPDATE identities AS i"
    "   SET image = $2::text, image_sized = $3::text, version = version + 1, updated_at = now()"
    " WHERE id = $1::uuid RETURNING " COLUMNS);

static const iimg_statement_t restore_picture = IIMG_STATEMENT(
    "iimg_identity_restore_picture",
    "UPDATE identities AS i"
    "   SET image = previous_image, image_sized = previous_image_sized,"
    "       previous_image = image, previous_image_sized = image_sized,"
    "       version = version + 1, updated_at = now()"
    " WHERE id = $1::uuid AND previous_image IS NOT NULL RETURNING " COLUMNS);

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_identity_list",
    "SELECT " IIMG_CALLER_COLUMNS ", i.page_key, " COLUMNS
    "  FROM users c LEFT JOIN LATERAL ("
    "    SELECT i.*, " IIMG_PAGE_KEY("i") " FROM identities i"
    "     WHERE c.is_staff AND " IIMG_PAGE_BEHIND("i")
    "       AND " IIMG_PAGE_MATCHES("i.name, i.category, i.i_am_statement")
    "       AND ($7::uuid IS NULL OR i.user_id = $7::uuid)"
    "       AND ($8::text IS NULL OR i.category = $8::text)"
    IIMG_PAGE_END("i") ") i ON true"
    " WHERE " IIMG_CALLER_IS IIMG_PAGE_ORDER("i"));

static const iimg_statement_t for_staff = IIMG_STATEMENT(
    "iimg_identity_for_staff",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN identities i ON c.is_staff AND i.id = $3::uuid"
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_identity_insert",
    "INSERT INTO identities AS i"
    "       (user_id, name, category, i_am_statement, visualization, notes)"
    " VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text[]) RETURNING " COLUMNS);

static const iimg_statement_t update = IIMG_STATEMENT(
    "iimg_identity_update",
    "UPDATE identities AS i"
    "   SET user_id = $1::uuid, name = $2::text, category = $3::text, i_am_statement = $4::text,"
    "       visualization = $5::text, notes = $6::text[], version = version + 1,"
    "       updated_at = now()"
    " WHERE id = $7::uuid RETURNING " COLUMNS);

static const iimg_statement_t delete_row = IIMG_STATEMENT(
    "iimg_identity_delete", "DELETE FROM identities WHERE id = $1::uuid");

static void take_row(apr_pool_t *pool, const iimg_rows_t *rows, int row, int from,
                     iimg_identity_t *identity)
{
    identity->id = iimg_rows_text(rows, row, from);
    identity->user_id = iimg_rows_text(rows, row, from + 1);
    identity->name = iimg_rows_text(rows, row, from + 2);
    identity->category = iimg_rows_text(rows, row, from + 3);
    identity->i_am_statement = iimg_rows_text(rows, row, from + 4);
    identity->visualization = iimg_rows_text(rows, row, from + 5);
    identity->notes = iimg_db_array_parse(pool, iimg_rows_text(rows, row, from + 6));
    identity->picture.key = iimg_rows_text(rows, row, from + 7);
    identity->picture.sized = iimg_rows_text(rows, row, from + 8);
    identity->version = (int)iimg_rows_integer(rows, row, from + 9);
    identity->created_at = iimg_rows_text(rows, row, from + 10);
    identity->updated_at = iimg_rows_text(rows, row, from + 11);
}

static apr_array_header_t *take_rows(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *identities = apr_array_make(pool, rows->count + 1, sizeof(iimg_identity_t));

    for (int row = 0; row < rows->count; row++) {
        if (iimg_rows_text(rows, row, from)) {
            take_row(pool, rows, row, from, apr_array_push(identities));
        }
    }
    return identities;
}

static iimg_error_t *one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, iimg_identity_t **identity)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);
    apr_array_header_t *identities = err ? NULL : take_rows(context->pool, rows, 0);

    *identity = identities && identities->nelts ? &APR_ARRAY_IDX(identities, 0, iimg_identity_t)
                                                : NULL;
    return err;
}

iimg_error_t *iimg_identity_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                           apr_array_header_t **identities)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &list_of_caller,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context)), &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *identities = err ? NULL : take_rows(context->pool, rows, IIMG_CALLER_WIDTH);
    return err;
}

iimg_error_t *iimg_identity_list_of_test_user(iimg_context_t *context, const char *user_id,
                                              const iimg_caller_t **caller, bool *found,
                                              apr_array_header_t **identities)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &list_of_test_user,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), user_id), &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *found = *caller && iimg_rows_bool(rows, 0, IIMG_CALLER_WIDTH);
    *identities = err ? NULL : take_rows(context->pool, rows, IIMG_CALLER_WIDTH + 1);
    return err;
}

iimg_error_t *iimg_identity_categories(iimg_context_t *context, const iimg_caller_t **caller,
                                       apr_array_header_t **categories)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &list_categories,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context)), &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *categories = *caller ? iimg_db_array_parse(context->pool,
                                                iimg_rows_text(rows, 0, IIMG_CALLER_WIDTH))
                          : NULL;
    return err;
}

iimg_error_t *iimg_identity_by_id(iimg_context_t *context, const char *id,
                                  iimg_identity_t **identity)
{
    return one(context, &by_id, IIMG_PARAMS(id), identity);
}

iimg_error_t *iimg_identity_lock(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity)
{
    return one(context, &lock_row, IIMG_PARAMS(id), identity);
}

iimg_error_t *iimg_identity_set_picture(iimg_context_t *context, const char *id,
                                        const iimg_picture_t *picture, iimg_identity_t **identity)
{
    return one(context, &set_picture, IIMG_PARAMS(id, picture->key, picture->sized), identity);
}

iimg_error_t *iimg_identity_restore_picture(iimg_context_t *context, const char *id,
                                            iimg_identity_t **identity)
{
    return one(context, &restore_picture, IIMG_PARAMS(id), identity);
}

/* What staff keep ------------------------------------------------------------------------------ */

iimg_error_t *iimg_identity_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_identity_filter_t *filter, const iimg_caller_t **caller,
                                 apr_array_header_t **identities)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &list,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->user_id, filter->category), &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *identities = take_rows(context->pool, rows, IIMG_PAGE_WIDTH);
    iimg_page_close(page, rows, *identities);
    return NULL;
}

iimg_error_t *iimg_identity_for_staff(iimg_context_t *context, const char *id,
                                      const iimg_caller_t **caller, iimg_identity_t **identity)
{
    iimg_rows_t *rows;
    apr_array_header_t *identities;
    iimg_error_t *err = iimg_db_query(context, &for_staff,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    identities = take_rows(context->pool, rows, IIMG_CALLER_WIDTH);
    *identity = identities->nelts ? &APR_ARRAY_IDX(identities, 0, iimg_identity_t) : NULL;
    return NULL;
}

static iimg_error_t *explain(iimg_context_t *context, iimg_error_t *err, const char *user_id)
{
    bool nobody = err && err->constraint && strcmp(err->constraint, "identities_user_id_fkey") == 0;

    return nobody ? iimg_user_not_found(context, user_id) : err;
}

iimg_error_t *iimg_identity_insert(iimg_context_t *context, iimg_identity_t **identity)
{
    const iimg_identity_t *i = *identity;
    const char *user_id = i->user_id;
    iimg_error_t *err = one(context, &insert,
                            IIMG_PARAMS(user_id, i->name, i->category, i->i_am_statement,
                                        i->visualization,
                                        iimg_db_array_format(context->pool, i->notes)),
                            identity);

    return explain(context, err, user_id);
}

iimg_error_t *iimg_identity_update(iimg_context_t *context, iimg_identity_t **identity)
{
    const iimg_identity_t *i = *identity;
    const char *user_id = i->user_id;
    iimg_error_t *err = one(context, &update,
                            IIMG_PARAMS(user_id, i->name, i->category, i->i_am_statement,
                                        i->visualization,
                                        iimg_db_array_format(context->pool, i->notes), i->id),
                            identity);

    return explain(context, err, user_id);
}

iimg_error_t *iimg_identity_delete(iimg_context_t *context, const char *id, bool *found)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &delete_row, IIMG_PARAMS(id), &rows);

    *found = !err && rows->affected > 0;
    return err;
}
