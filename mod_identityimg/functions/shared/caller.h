/* caller.h - accept or refuse the user who sent a request. */
#ifndef IIMG_FUNCTIONS_SHARED_CALLER_H
#define IIMG_FUNCTIONS_SHARED_CALLER_H

#include "base/context.h"
#include "base/error.h"
#include "models/user.h"

/*
 *   a read:    one statement returns the caller's columns and the rows; then
 *              err = iimg_accept_caller(context, caller, role)
 *   a write:   in its transaction, before anything else,
 *              err = iimg_identify_caller(context, role)
 *
 * Both set context->caller.
 */

/** Role that a route requires. */
typedef enum {
    IIMG_ANYONE,
    IIMG_USER,
    IIMG_STAFF
} iimg_role_t;

/**
 * Check the caller that a statement returned, and store it in the context.
 * @param caller NULL when the login has no row
 * Errors: IIMG_UNAUTHENTICATED (no login, no row, inactive, credentials changed), IIMG_FORBIDDEN.
 */
iimg_error_t *iimg_accept_caller(iimg_context_t *context, const iimg_caller_t *caller,
                                 iimg_role_t role);

/** Read the caller's row by the context's login, and accept it. Errors: as iimg_accept_caller. */
iimg_error_t *iimg_identify_caller(iimg_context_t *context, iimg_role_t role);

/** The same for a change of rows of `owner`: the owner or staff. Errors: as iimg_accept_caller. */
iimg_error_t *iimg_identify_caller_for(iimg_context_t *context, const char *owner);

#endif
