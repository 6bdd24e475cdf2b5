/* reference_image.h - the photos of users: rows of reference_images. */
#ifndef IIMG_MODELS_REFERENCE_IMAGE_H
#define IIMG_MODELS_REFERENCE_IMAGE_H

#include "models/page.h"
#include "models/picture.h"
#include "models/user.h"

/** A user has the slots 0 to IIMG_REFERENCE_IMAGE_SLOTS - 1. */
#define IIMG_REFERENCE_IMAGE_SLOTS 5

typedef struct iimg_reference_image_t {
    const char *id;
    const char *user_id;
    const char *name; /* may be "" */
    int order;
    iimg_picture_t picture;
    int version;            /* counts changes */
    const char *created_at; /* PostgreSQL's text */
    const char *updated_at;
} iimg_reference_image_t;

/**
 * A user's photos by order.
 * @param user_id the owner, for staff; NULL: the caller. Ignored for other callers
 * @param images  iimg_reference_image_t
 */
iimg_error_t *iimg_reference_image_list(iimg_context_t *context, const char *user_id,
                                        const iimg_caller_t **caller, apr_array_header_t **images);

/** One photo, of the caller or (staff) of user_id. @param image NULL if there is none such */
iimg_error_t *iimg_reference_image_by_id(iimg_context_t *context, const char *user_id,
                                         const char *id, const iimg_caller_t **caller,
                                         iimg_reference_image_t **image);

/** Members that are NULL match all photos. */
typedef struct iimg_reference_image_filter_t {
    const char *user_id;
    const char *has_image; /* "t", "f" */
} iimg_reference_image_filter_t;

/** A page of all users' photos; empty unless the caller is staff. @param images
 * iimg_reference_image_t */
iimg_error_t *iimg_reference_image_list_all(iimg_context_t *context, iimg_page_t *page,
                                            const iimg_reference_image_filter_t *filter,
                                            const iimg_caller_t **caller,
                                            apr_array_header_t **images);

/** One photo of any user. @param image NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_reference_image_for_staff(iimg_context_t *context, const char *id,
                                             const iimg_caller_t **caller,
                                             iimg_reference_image_t **image);

/** Lock one photo until the transaction ends. @param image NULL if there is none such */
iimg_error_t *iimg_reference_image_lock(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image);

/** A user's photos with a picture, by order, for any caller. @param images
 * iimg_reference_image_t */
iimg_error_t *iimg_reference_image_with_picture(iimg_context_t *context, const char *user_id,
                                                apr_array_header_t **images);

/** List the occupied slots. @param taken one bool a slot */
iimg_error_t *iimg_reference_image_slots(iimg_context_t *context, const char *user_id,
                                         bool taken[IIMG_REFERENCE_IMAGE_SLOTS]);

/** Insert a row. Errors: IIMG_INVALID code order_in_use. */
iimg_error_t *iimg_reference_image_insert(iimg_context_t *context, const char *user_id,
                                          const char *name, int order,
                                          const iimg_picture_t *picture,
                                          iimg_reference_image_t **image);

/**
 * Update name and order.
 * @param name, order NULL: unchanged
 * @param image the updated row; NULL if it is deleted
 * Errors: IIMG_INVALID code order_in_use.
 */
iimg_error_t *iimg_reference_image_update(iimg_context_t *context, const char *user_id,
                                          const char *id, const char *name, const int *order,
                                          iimg_reference_image_t **image);

/**
 * Update name and order, and move the photo in that slot to this one's slot, in one statement.
 * @param name  NULL: unchanged
 * @param image the updated row; NULL if it is deleted
 */
iimg_error_t *iimg_reference_image_swap(iimg_context_t *context, const char *user_id,
                                        const char *id, const char *name, int order,
                                        iimg_reference_image_t **image);

/** Replace the picture. The objects of the old one are doomed. @param image NULL if it is deleted
 */
iimg_error_t *iimg_reference_image_set_picture(iimg_context_t *context, const char *user_id,
                                               const char *id, const iimg_picture_t *picture,
                                               iimg_reference_image_t **image);

/** Delete the row. The objects of its picture are doomed. @param found whether it existed */
iimg_error_t *iimg_reference_image_delete(iimg_context_t *context, const char *user_id,
                                          const char *id, bool *found);

/** Make the error IIMG_INVALID "Order 2 is already in use". */
iimg_error_t *iimg_reference_image_order_in_use(iimg_context_t *context, int order);

#endif
