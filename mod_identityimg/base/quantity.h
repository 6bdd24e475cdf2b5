/* quantity.h - format a size next to the limit that it exceeds. */
#ifndef IIMG_BASE_QUANTITY_H
#define IIMG_BASE_QUANTITY_H

#include <apr_pools.h>

/**
 * Format a number of units with one decimal, rounded to the nearest; rounded up if the result would
 * not exceed the limit.
 * @param most the limit, in pieces
 * @param unit pieces per unit, at least 10
 */
const char *iimg_units(apr_pool_t *pool, apr_uint64_t pieces, apr_uint64_t most, apr_uint64_t unit);

/** Format megabytes like iimg_units: "28.6 MB". */
const char *iimg_megabytes(apr_pool_t *pool, apr_size_t bytes, apr_size_t most);

/** Format megabytes: "25.0 MB". @return NULL when one decimal is not exact */
const char *iimg_megabytes_exact(apr_pool_t *pool, apr_size_t bytes);

#endif
