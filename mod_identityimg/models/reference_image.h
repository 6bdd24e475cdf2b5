/* reference_image.h - the photos a user keeps: rows of reference_images. */
#ifndef IIMG_MODELS_REFERENCE_IMAGE_H
#define IIMG_MODELS_REFERENCE_IMAGE_H

#include "models/page.h"
#include "models/picture.h"
#include "models/user.h"

/** A user has this many slots, 0 to IIMG_REFERENCE_IMAGE_SLOTS - 1. */
#define IIMG_REFERENCE_IMAGE_SLOTS 5

typedef struct iimg_reference_image_t {
    const char *id;
    const char *user_id;
    const char *name; /* may be "" */
    int order;
    iimg_picture_t picture;
    int version;            /* one more with each change */
    const char *created_at; /* PostgreSQL's text */
    const char *updated_at;
} iimg_reference_image_t;

/**
 * A user's photos by order.
 * @param user_id whose, for staff; NULL: the caller's own. Ignored for others
 * @param images  iimg_reference_image_t
 */
iimg_error_t *iimg_reference_image_list(iimg_context_t *context, const char *user_id,
                                        const iimg_caller_t **caller, apr_array_header_t **images);

/** One photo, of the caller or (staff) of user_id. @param image NULL when there is none such */
iimg_error_t *iimg_reference_image_by_id(iimg_context_t *context, const char *user_id,
                                         const char *id, const iimg_caller_t **caller,
                                         iimg_reference_image_t **image);

/** NULL: whatever it is. */
typedef struct iimg_reference_image_filter_t {
    const char *user_id;
    const char *has_image; /* "t", "f" */
} iimg_reference_image_filter_t;

/** A page of all users' photos; nothing unless the caller is staff. @param images
 * iimg_reference_image_t */
iimg_error_t *iimg_reference_image_list_all(iimg_context_t *context, iimg_page_t *page,
                                            const iimg_reference_image_filter_t *filter,
                                            const iimg_caller_t **caller,
                                            apr_array_header_t **images);

/** One photo, whosever. @param image NULL when there is none such, or the caller is not staff */
iimg_error_t *iimg_reference_image_for_staff(iimg_context_t *context, const char *id,
                                             const iimg_caller_t **caller,
                                             iimg_reference_image_t **image);

/** Lock one photo until the transaction ends. @param image NULL when there is none such */
iimg_error_t *iimg_reference_image_lock(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image);

/** A user's photos that have a picture, by order, whoever asks. @param images
 * iimg_reference_image_t */
iimg_error_t *iimg_reference_image_with_picture(iimg_context_t *context, const char *user_id,
                                                apr_array_header_t **images);

/** Which slots are taken. @param taken one bool a slot, set here */
iimg_error_t *iimg_reference_image_slots(iimg_context_t *context, const char *user_id,
                                         bool taken[IIMG_REFERENCE_IMAGE_SLOTS]);

/** Insert a row. Errors: IIMG_INVALID code order_in_use when the slot is taken. */
iimg_error_t *iimg_reference_image_insert(iimg_context_t *context, const char *user_id,
                                          const char *name, int order,
                                          const iimg_picture_t *picture,
                                          iimg_reference_image_t **image);

/**
 * Change name and order. @param name, order NULL: as it is
 * @param image the row after it; NULL when it is gone
 * Errors: IIMG_INVALID code order_in_use.
 */
iimg_error_t *iimg_reference_image_update(iimg_context_t *context, const char *user_id,
                                          const char *id, const char *name, const int *order,
                                          iimg_reference_image_t **image);

/**
 * Change name and order; a photo that is in that slot takes this one's, in the same statement.
 * @param name NULL: as it is
 * @param image the row after it; NULL when it is gone
 */
iimg_error_t *iimg_reference_image_swap(iimg_context_t *context, const char *user_id,
                                        const char *id, const char *name, int order,
                                        iimg_reference_image_t **image);

/** Show another picture; the old one's objects are doomed. @param image NULL when the row is gone
 */
iimg_error_t *iimg_reference_image_set_picture(iimg_context_t *context, const char *user_id,
                                               const char *id, const iimg_picture_t *picture,
                                               iimg_reference_image_t **image);

/** Delete the row; its objects are doomed. @param found whether there was one */
iimg_error_t *iimg_reference_image_delete(iimg_context_t *context, const char *user_id,
                                          const char *id, bool *found);

/** "Order 2 is already in use" */
iimg_error_t *iimg_reference_image_order_in_use(iimg_context_t *context, int order);

#endif
