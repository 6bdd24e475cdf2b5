/* not_found.h - the errors of rows that do not exist or that the caller may not see. */
#ifndef IIMG_FUNCTIONS_SHARED_NOT_FOUND_H
#define IIMG_FUNCTIONS_SHARED_NOT_FOUND_H

#include "base/context.h"
#include "base/error.h"

/** The row that the path names: "Not found." */
iimg_error_t *iimg_not_found(iimg_context_t *context);

/** An identity that the body or a job names: "Identity not found". */
iimg_error_t *iimg_identity_not_found(iimg_context_t *context);

#endif
