/* identity.c - the identities of users: rows of identities. */
#include "models/identity.h"

#include "base/db/array.h"
#include "models/query.h"

#define IIMG_ROW iimg_identity_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "i.id") \
    NEXT(user_id, TEXT, "i.user_id") \
    NEXT(name, TEXT, "i.name") \
    NEXT(category, TEXT, "i.category") \
    NEXT(i_am_statement, TEXT, "i.i_am_statement") \
    NEXT(visualization, TEXT, "i.visualization") \
    NEXT(notes, ARRAY, "i.notes") \
    NEXT(picture.key, TEXT, "i.image") \
    NEXT(picture.sized, TEXT, "i.image_sized") \
    NEXT(version, INTEGER, "i.version") \
    NEXT(created_at, TEXT, "i.created_at") \
    NEXT(updated_at, TEXT, "i.updated_at")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t identity_type = IIMG_ROW_TYPE(columns);

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

iimg_error_t *iimg_identity_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                           apr_array_header_t **identities)
{
    return iimg_query_list_for_caller(context, &identity_type, &list_of_caller,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context)), caller, identities);
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
    *identities = err ? NULL : iimg_query_read(context->pool, &identity_type, rows);
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
    return iimg_query_one(context, &identity_type, &by_id, IIMG_PARAMS(id), identity);
}

iimg_error_t *iimg_identity_lock(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity)
{
    return iimg_query_one(context, &identity_type, &lock_row, IIMG_PARAMS(id), identity);
}

iimg_error_t *iimg_identity_set_picture(iimg_context_t *context, const char *id,
                                        const iimg_picture_t *picture, iimg_identity_t **identity)
{
    return iimg_query_one(context, &identity_type, &set_picture,
                          IIMG_PARAMS(id, picture->key, picture->sized), identity);
}

iimg_error_t *iimg_identity_restore_picture(iimg_context_t *context, const char *id,
                                            iimg_identity_t **identity)
{
    return iimg_query_one(context, &identity_type, &restore_picture, IIMG_PARAMS(id), identity);
}

/* For staff ------------------------------------------------------------------------------------ */

iimg_error_t *iimg_identity_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_identity_filter_t *filter, const iimg_caller_t **caller,
                                 apr_array_header_t **identities)
{
    return iimg_query_page(
        context, &identity_type, &list,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->user_id, filter->category), page,
        caller, identities);
}

iimg_error_t *iimg_identity_for_staff(iimg_context_t *context, const char *id,
                                      const iimg_caller_t **caller, iimg_identity_t **identity)
{
    return iimg_query_one_for_caller(context, &identity_type, &for_staff,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller,
                                     identity);
}

static iimg_error_t *explain_missing_user(iimg_context_t *context, iimg_error_t *err,
                                          const char *user_id)
{
    return iimg_query_violates(err, "identities_user_id_fkey")
               ? iimg_user_not_found(context, user_id)
               : err;
}

iimg_error_t *iimg_identity_insert(iimg_context_t *context, iimg_identity_t **identity)
{
    const iimg_identity_t *i = *identity;
    const char *user_id = i->user_id;
    iimg_error_t *err = iimg_query_one(context, &identity_type, &insert,
                                       IIMG_PARAMS(user_id, i->name, i->category, i->i_am_statement,
                                                   i->visualization,
                                                   iimg_db_array_format(context->pool, i->notes)),
                                       identity);

    return explain_missing_user(context, err, user_id);
}

iimg_error_t *iimg_identity_update(iimg_context_t *context, iimg_identity_t **identity)
{
    const iimg_identity_t *i = *identity;
    const char *user_id = i->user_id;
    iimg_error_t *err = iimg_query_one(
        context, &identity_type, &update,
        IIMG_PARAMS(user_id, i->name, i->category, i->i_am_statement, i->visualization,
                    iimg_db_array_format(context->pool, i->notes), i->id),
        identity);

    return explain_missing_user(context, err, user_id);
}

iimg_error_t *iimg_identity_delete(iimg_context_t *context, const char *id, bool *found)
{
    return iimg_query_change_one(context, &delete_row, IIMG_PARAMS(id), found);
}
