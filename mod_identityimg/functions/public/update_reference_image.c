/* update_reference_image.c - change a photo's name and order. */
#include "functions/public/public.h"

typedef struct change_t {
    const char *user_id;
    const char *id;
    const char *name;
    const int *order;
    iimg_reference_image_t *image;
} change_t;

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    change_t *change = baton;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_USER);

    if (!err) {
        err = iimg_reference_image_update(context, change->user_id, change->id, change->name,
                                          change->order, &change->image);
    }
    return !err && !change->image ? iimg_not_found(context) : err;
}

iimg_error_t *iimg_update_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id, const char *name, const int *order,
                                          iimg_reference_image_t **image)
{
    change_t change = { .user_id = user_id, .id = id, .name = name, .order = order };
    iimg_error_t *err = order ? iimg_check_order(context, *order) : NULL;

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, update_row, &change);
    *image = change.image;
    return err;
}
