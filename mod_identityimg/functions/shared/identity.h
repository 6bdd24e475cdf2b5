/* identity.h - lock one identity and check its owner. */
#ifndef IIMG_FUNCTIONS_SHARED_IDENTITY_H
#define IIMG_FUNCTIONS_SHARED_IDENTITY_H

#include "models/identity.h"

/**
 * Within a transaction: lock an identity that the accepted caller may change, and check its
 * version. Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION.
 */
iimg_error_t *iimg_lock_identity(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity);

/**
 * Check that the accepted caller owns the identity or is staff.
 * @param identity NULL when it does not exist
 * Errors: IIMG_NOT_FOUND.
 */
iimg_error_t *iimg_check_identity_owner(iimg_context_t *context, const iimg_identity_t *identity);

#endif
