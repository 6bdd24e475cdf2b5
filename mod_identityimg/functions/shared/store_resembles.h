/* store_resembles.h - check whether a store without a known marker matches the database. */
#ifndef IIMG_FUNCTIONS_SHARED_STORE_RESEMBLES_H
#define IIMG_FUNCTIONS_SHARED_STORE_RESEMBLES_H

#include "base/context.h"
#include "base/error.h"

/**
 * Check that the store has at least half of a sample of the pictures in the database. If the
 * database has no pictures, check that it knows at least one of the store's objects, if there are
 * any.
 * @param doubt NULL when they match; else the difference, as the end of a sentence about the store
 */
iimg_error_t *iimg_store_resembles(iimg_context_t *context, const char **doubt);

#endif
