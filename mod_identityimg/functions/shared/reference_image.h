/* reference_image.h - read, lock and check one photo. */
#ifndef IIMG_FUNCTIONS_SHARED_REFERENCE_IMAGE_H
#define IIMG_FUNCTIONS_SHARED_REFERENCE_IMAGE_H

#include "functions/shared/scope.h"
#include "models/reference_image.h"

/** Read one photo in scope, and accept the caller. Errors: IIMG_NOT_FOUND, as iimg_accept_caller.
 */
iimg_error_t *iimg_get_reference_image(iimg_context_t *context, const iimg_scope_t *scope,
                                       const char *id, iimg_reference_image_t **image);

/** Within a transaction: lock a photo, and check its version. Errors: IIMG_NOT_FOUND,
 * IIMG_PRECONDITION. */
iimg_error_t *iimg_lock_reference_image(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image);

/** The same if the request has If-Match; without it, do nothing. */
iimg_error_t *iimg_lock_reference_image_if_match(iimg_context_t *context, const char *user_id,
                                                 const char *id);

/** Check that an order is one of a user's slots. Errors: IIMG_INVALID. */
iimg_error_t *iimg_check_reference_image_order(iimg_context_t *context, long long order);

#endif
