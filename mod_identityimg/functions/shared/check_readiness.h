/* check_readiness.h - check that the server can handle new requests. */
#ifndef IIMG_FUNCTIONS_SHARED_CHECK_READINESS_H
#define IIMG_FUNCTIONS_SHARED_CHECK_READINESS_H

#include "base/context.h"
#include "base/error.h"

/**
 * Check that the database answers and has the tables of this build, and that the store accepts
 * pictures. Errors: IIMG_NOT_READY; its detail has the cause.
 */
iimg_error_t *iimg_check_readiness(iimg_context_t *context);

#endif
