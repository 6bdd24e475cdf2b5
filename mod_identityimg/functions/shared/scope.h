/* scope.h - the user whose photos a request selects. */
#ifndef IIMG_FUNCTIONS_SHARED_SCOPE_H
#define IIMG_FUNCTIONS_SHARED_SCOPE_H

#include "base/context.h"
#include "base/error.h"

/** `?user_id=` of a request. It is ignored unless the caller is staff. */
typedef struct iimg_scope_t {
    const char *user_id;   /* NULL: the caller */
    iimg_error_t *problem; /* the parameter is invalid; NULL: it is valid or absent */
} iimg_scope_t;

/** Report an invalid `?user_id=` to an accepted caller. Errors: IIMG_INVALID, for staff only. */
iimg_error_t *iimg_check_scope(iimg_context_t *context, const iimg_scope_t *scope);

#endif
