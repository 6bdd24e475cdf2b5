/* update_reference_image.c - change a photo's name and order, or exchange two slots. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/reference_image.h"

typedef struct update_t {
    const char *user_id;
    const char *id;
    const iimg_reference_image_change_t *wanted;
    iimg_reference_image_t *image;
    bool moves; /* it changes slots */
} update_t;

/* Locks the user's row, as creates do, so that changes of order cannot deadlock. */
static iimg_error_t *lock_slots(iimg_context_t *context, const update_t *update)
{
    bool found = true;
    iimg_error_t *err = update->wanted->order ? iimg_user_lock(context, update->user_id, &found)
                                              : NULL;

    if (err) {
        return err;
    }
    return found ? NULL : iimg_not_found(context);
}

/* Only values that differ are changed and audited. */
static apr_array_header_t *find_changes(iimg_context_t *context, update_t *update)
{
    apr_array_header_t *members = iimg_members_create(context->pool);
    const iimg_given_t name = { update->wanted->name != NULL, update->wanted->name };

    iimg_members_set_text(members, "name", &name, &update->image->name);
    update->moves = update->wanted->order && *update->wanted->order != update->image->order;
    if (update->moves) {
        iimg_members_add(members, "order");
    }
    return members;
}

static iimg_error_t *lock_rows(iimg_context_t *context, update_t *update)
{
    iimg_error_t *err = iimg_identify_caller_for(context, update->user_id);

    if (err) {
        return err;
    }
    err = lock_slots(context, update);
    if (err) {
        return err;
    }
    return iimg_lock_reference_image(context, update->user_id, update->id, &update->image);
}

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    update_t *update = baton;
    const iimg_reference_image_change_t *wanted = update->wanted;
    apr_array_header_t *members;
    iimg_error_t *err = lock_rows(context, update);

    if (err) {
        return err;
    }
    members = find_changes(context, update);
    if (!members->nelts) {
        return NULL;
    }
    if (wanted->swap && update->moves) {
        err = iimg_reference_image_swap(context, update->user_id, update->id, wanted->name,
                                        *wanted->order, &update->image);
    }
    else {
        err = iimg_reference_image_update(context, update->user_id, update->id, wanted->name,
                                          update->moves ? wanted->order : NULL, &update->image);
    }
    if (err) {
        return err;
    }
    if (!update->image) {
        return iimg_not_found(context);
    }
    return iimg_audit(context, "change", "reference_images", update->id, members);
}

iimg_error_t *iimg_update_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id,
                                          const iimg_reference_image_change_t *wanted,
                                          iimg_reference_image_t **image)
{
    update_t update = { .user_id = user_id, .id = id, .wanted = wanted };
    iimg_error_t *err = wanted->order ? iimg_check_reference_image_order(context, *wanted->order)
                                      : NULL;

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, update_row, &update);
    *image = update.image;
    return err;
}
