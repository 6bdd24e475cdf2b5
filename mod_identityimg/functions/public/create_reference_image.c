/* create_reference_image.c - create a photo. A user has five slots; concurrent creates never share
 * one. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/store_picture.h"

typedef struct creation_t {
    const char *user_id;
    const iimg_new_reference_image_t *wanted;
    iimg_stored_picture_t stored; /* count 0: no picture */
    iimg_reference_image_t *image;
} creation_t;

static iimg_error_t *too_many_images(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_INVALID, "max_images",
                                "Maximum %d reference images allowed", IIMG_REFERENCE_IMAGE_SLOTS);
}

/* The requested slot, or the lowest free one. */
static iimg_error_t *choose_order(iimg_context_t *context, const bool *taken, const int *wanted,
                                  int *order)
{
    int lowest = IIMG_REFERENCE_IMAGE_SLOTS;
    iimg_error_t *err;

    for (int i = IIMG_REFERENCE_IMAGE_SLOTS - 1; i >= 0; i--) {
        lowest = taken[i] ? lowest : i;
    }
    if (lowest == IIMG_REFERENCE_IMAGE_SLOTS) {
        return too_many_images(context);
    }
    if (!wanted) {
        *order = lowest;
        return NULL;
    }
    err = iimg_check_reference_image_order(context, *wanted);
    if (err) {
        return err;
    }
    if (taken[*wanted]) {
        return iimg_reference_image_order_in_use(context, *wanted);
    }
    *order = *wanted;
    return NULL;
}

static iimg_error_t *check_slot(iimg_context_t *context, const creation_t *creation, int *order)
{
    bool taken[IIMG_REFERENCE_IMAGE_SLOTS];
    iimg_error_t *err = iimg_reference_image_slots(context, creation->user_id, taken);

    if (err) {
        return err;
    }
    return choose_order(context, taken, creation->wanted->order, order);
}

static iimg_error_t *write_audit(iimg_context_t *context, const creation_t *creation)
{
    apr_array_header_t *members = iimg_members_create(context->pool);

    if (*creation->wanted->name) {
        iimg_members_add(members, "name");
    }
    if (creation->wanted->order) {
        iimg_members_add(members, "order");
    }
    if (creation->stored.count) {
        iimg_members_add(members, "image");
    }
    return iimg_audit(context, "create", "reference_images", creation->image->id, members);
}

/* The lock on the user's row serializes creates: no other one sees the slots before this commits.
 */
static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    bool found;
    int order = 0;
    iimg_error_t *err = iimg_identify_caller_for(context, creation->user_id);

    if (err) {
        return err;
    }
    err = iimg_user_lock(context, creation->user_id, &found);
    if (err) {
        return err;
    }
    if (!found) {
        return iimg_user_not_found(context, creation->user_id);
    }
    err = check_slot(context, creation, &order);
    if (err) {
        return err;
    }
    err = iimg_reference_image_insert(context, creation->user_id, creation->wanted->name, order,
                                      &creation->stored.picture, &creation->image);
    if (err) {
        return err;
    }
    err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, creation->image->id);
    if (err) {
        return err;
    }
    if (creation->stored.count) {
        err = iimg_publish_picture(context, &creation->stored);
        if (err) {
            return err;
        }
    }
    return write_audit(context, creation);
}

/* Checks for a free slot first, to avoid decoding and storing a picture in vain. */
static iimg_error_t *store_upload(iimg_context_t *context, creation_t *creation)
{
    int order;
    iimg_error_t *err = check_slot(context, creation, &order);

    if (err) {
        return err;
    }
    return iimg_store_picture(context, creation->wanted->upload, &creation->stored);
}

iimg_error_t *iimg_create_reference_image(iimg_context_t *context, const char *user_id,
                                          const iimg_new_reference_image_t *wanted,
                                          iimg_reference_image_t **image)
{
    creation_t creation = { .user_id = user_id, .wanted = wanted };
    iimg_error_t *err = wanted->upload ? store_upload(context, &creation) : NULL;

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, insert_row, &creation);
    if (err && creation.stored.count) {
        iimg_abandon_picture(context, &creation.stored);
    }
    *image = creation.image;
    return err;
}
