/* reference_image.c - the photos of users: rows of reference_images. */
#include "models/reference_image.h"

#include <string.h>
#include <apr_strings.h>
#include "models/query.h"

#define IIMG_ROW iimg_reference_image_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "r.id") \
    NEXT(user_id, TEXT, "r.user_id") \
    NEXT(name, TEXT, "r.name") \
    NEXT(order, INTEGER, "r.\"order\"") \
    NEXT(picture.key, TEXT, "r.image") \
    NEXT(picture.sized, TEXT, "r.image_sized") \
    NEXT(version, INTEGER, "r.version") \
    NEXT(created_at, TEXT, "r.created_at") \
    NEXT(updated_at, TEXT, "r.updated_at")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t image_type = IIMG_ROW_TYPE(columns);

/* Staff may request another user's photos with $3; other users get their own. */
#define OF_CALLER \
    "  FROM users c" \
    "  LEFT JOIN reference_images r" \
    "    ON r.user_id = CASE WHEN c.is_staff THEN coalesce($3::uuid, c.id) ELSE c.id END"

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_reference_image_list",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS OF_CALLER
    " WHERE " IIMG_CALLER_IS " ORDER BY r.\"order\", r.created_at DESC");

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_reference_image_by_id",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS OF_CALLER " AND r.id = $4::uuid"
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t list_all = IIMG_STATEMENT(
    "iimg_reference_image_list_all",
    "SELECT " IIMG_CALLER_COLUMNS ", r.page_key, " COLUMNS
    "  FROM users c LEFT JOIN LATERAL ("
    "    SELECT r.*, " IIMG_PAGE_KEY("r")
    "      FROM reference_images r JOIN users u ON u.id = r.user_id"
    "     WHERE c.is_staff AND " IIMG_PAGE_BEHIND("r")
    "       AND " IIMG_PAGE_MATCHES("r.name, u.email")
    "       AND ($7::uuid IS NULL OR r.user_id = $7::uuid)"
    "       AND ($8::boolean IS NULL OR (r.image IS NOT NULL) = $8::boolean)"
    IIMG_PAGE_END("r") ") r ON true"
    " WHERE " IIMG_CALLER_IS IIMG_PAGE_ORDER("r"));

static const iimg_statement_t for_staff = IIMG_STATEMENT(
    "iimg_reference_image_for_staff",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN reference_images r ON c.is_staff AND r.id = $3::uuid"
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t with_picture = IIMG_STATEMENT(
    "iimg_reference_image_with_picture",
    "SELECT " COLUMNS " FROM reference_images r"
    " WHERE r.user_id = $1::uuid AND r.image IS NOT NULL ORDER BY r.\"order\"");

static const iimg_statement_t lock_row = IIMG_STATEMENT(
    "iimg_reference_image_lock",
    "SELECT " COLUMNS " FROM reference_images r"
    " WHERE r.id = $1::uuid AND r.user_id = $2::uuid FOR UPDATE");

static const iimg_statement_t slots = IIMG_STATEMENT(
    "iimg_reference_image_slots",
    "SELECT \"order\" FROM reference_images WHERE user_id = $1::uuid");

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_reference_image_insert",
    "INSERT INTO reference_images AS r (user_id, name, \"order\", image, image_sized)"
    " VALUES ($1::uuid, $2::text, $3::smallint, $4::text, $5::text) RETURNING " COLUMNS);

static const iimg_statement_t update = IIMG_STATEMENT(
    "iimg_reference_image_update",
    "UPDATE reference_images AS r"
    "   SET name = coalesce($3::text, name), \"order\" = coalesce($4::smallint, \"order\"),"
    "       version = version + 1, updated_at = now()"
    " WHERE id = $1::uuid AND user_id = $2::uuid RETURNING " COLUMNS);

/* One statement, since the constraint on slots is checked at its end. */
static const iimg_statement_t swap = IIMG_STATEMENT(
    "iimg_reference_image_swap",
    "WITH changed AS ("
    "    UPDATE reference_images AS r"
    "       SET \"order\" = CASE WHEN r.id = this.id THEN $4::smallint ELSE this.\"order\" END,"
    "           name = CASE WHEN r.id = this.id THEN coalesce($3::text, r.name) ELSE r.name END,"
    "           version = r.version + 1, updated_at = now()"
    "      FROM reference_images AS this"
    "     WHERE this.id = $1::uuid AND this.user_id = $2::uuid AND r.user_id = this.user_id"
    "       AND (r.id = this.id OR r.\"order\" = $4::smallint)"
    "    RETURNING r.*)"
    " SELECT " COLUMNS " FROM changed r WHERE r.id = $1::uuid");

static const iimg_statement_t set_picture = IIMG_STATEMENT(
    "iimg_reference_image_set_picture",
    "UPDATE reference_images AS r"
    "   SET image = $3::text, image_sized = $4::text, version = version + 1, updated_at = now()"
    " WHERE id = $1::uuid AND user_id = $2::uuid RETURNING " COLUMNS);

static const iimg_statement_t delete_row = IIMG_STATEMENT(
    "iimg_reference_image_delete",
    "DELETE FROM reference_images WHERE id = $1::uuid AND user_id = $2::uuid");

iimg_error_t *iimg_reference_image_list(iimg_context_t *context, const char *user_id,
                                        const iimg_caller_t **caller, apr_array_header_t **images)
{
    return iimg_query_list_for_caller(context, &image_type, &list,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), user_id), caller,
                                      images);
}

iimg_error_t *iimg_reference_image_by_id(iimg_context_t *context, const char *user_id,
                                         const char *id, const iimg_caller_t **caller,
                                         iimg_reference_image_t **image)
{
    return iimg_query_one_for_caller(context, &image_type, &by_id,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), user_id, id), caller,
                                     image);
}

iimg_error_t *iimg_reference_image_list_all(iimg_context_t *context, iimg_page_t *page,
                                            const iimg_reference_image_filter_t *filter,
                                            const iimg_caller_t **caller,
                                            apr_array_header_t **images)
{
    return iimg_query_page(
        context, &image_type, &list_all,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->user_id, filter->has_image), page,
        caller, images);
}

iimg_error_t *iimg_reference_image_for_staff(iimg_context_t *context, const char *id,
                                             const iimg_caller_t **caller,
                                             iimg_reference_image_t **image)
{
    return iimg_query_one_for_caller(context, &image_type, &for_staff,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller, image);
}

iimg_error_t *iimg_reference_image_with_picture(iimg_context_t *context, const char *user_id,
                                                apr_array_header_t **images)
{
    return iimg_query_list(context, &image_type, &with_picture, IIMG_PARAMS(user_id), images);
}

iimg_error_t *iimg_reference_image_slots(iimg_context_t *context, const char *user_id,
                                         bool taken[IIMG_REFERENCE_IMAGE_SLOTS])
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &slots, IIMG_PARAMS(user_id), &rows);

    memset(taken, 0, IIMG_REFERENCE_IMAGE_SLOTS * sizeof(*taken));
    for (int row = 0; !err && row < rows->count; row++) {
        taken[iimg_rows_integer(rows, row, 0)] = true;
    }
    return err;
}

iimg_error_t *iimg_reference_image_order_in_use(iimg_context_t *context, int order)
{
    return iimg_error_invalid_field(context->pool, "order", "order_in_use",
                                    "Order %d is already in use", order);
}

/* Another request has taken the slot: an error of the client, not of the server. */
static iimg_error_t *explain_conflict(iimg_context_t *context, iimg_error_t *err, const int *order)
{
    return order && iimg_query_violates(err, "unique_user_image_order")
               ? iimg_reference_image_order_in_use(context, *order)
               : err;
}

iimg_error_t *iimg_reference_image_insert(iimg_context_t *context, const char *user_id,
                                          const char *name, int order,
                                          const iimg_picture_t *picture,
                                          iimg_reference_image_t **image)
{
    iimg_error_t *err = iimg_query_one(
        context, &image_type, &insert,
        IIMG_PARAMS(user_id, name, apr_itoa(context->pool, order), picture->key, picture->sized),
        image);

    return explain_conflict(context, err, &order);
}

iimg_error_t *iimg_reference_image_lock(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image)
{
    return iimg_query_one(context, &image_type, &lock_row, IIMG_PARAMS(id, user_id), image);
}

iimg_error_t *iimg_reference_image_update(iimg_context_t *context, const char *user_id,
                                          const char *id, const char *name, const int *order,
                                          iimg_reference_image_t **image)
{
    const char *slot = order ? apr_itoa(context->pool, *order) : NULL;
    iimg_error_t *err = iimg_query_one(context, &image_type, &update,
                                       IIMG_PARAMS(id, user_id, name, slot), image);

    return explain_conflict(context, err, order);
}

iimg_error_t *iimg_reference_image_swap(iimg_context_t *context, const char *user_id,
                                        const char *id, const char *name, int order,
                                        iimg_reference_image_t **image)
{
    return iimg_query_one(context, &image_type, &swap,
                          IIMG_PARAMS(id, user_id, name, apr_itoa(context->pool, order)), image);
}

iimg_error_t *iimg_reference_image_set_picture(iimg_context_t *context, const char *user_id,
                                               const char *id, const iimg_picture_t *picture,
                                               iimg_reference_image_t **image)
{
    return iimg_query_one(context, &image_type, &set_picture,
                          IIMG_PARAMS(id, user_id, picture->key, picture->sized), image);
}

iimg_error_t *iimg_reference_image_delete(iimg_context_t *context, const char *user_id,
                                          const char *id, bool *found)
{
    return iimg_query_change_one(context, &delete_row, IIMG_PARAMS(id, user_id), found);
}
