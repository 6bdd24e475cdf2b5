/* quantity.h - sizes in sentences: what was measured, beside the limit that it exceeds. */
#ifndef IIMG_BASE_QUANTITY_H
#define IIMG_BASE_QUANTITY_H

#include <apr_pools.h>

/**
 * A number of units with one decimal, rounded to the nearest; rounded up where that would read as
 * the limit or less.
 * @param most the limit, in pieces
 * @param unit how many pieces make one, from 10 on
 */
const char *iimg_units(apr_pool_t *pool, apr_uint64_t pieces, apr_uint64_t most, apr_uint64_t unit);

/** "28.6 MB": iimg_units() of megabytes. */
const char *iimg_megabytes(apr_pool_t *pool, apr_size_t bytes, apr_size_t most);

/** "25.0 MB"; NULL when one decimal does not say it exactly. */
const char *iimg_megabytes_exact(apr_pool_t *pool, apr_size_t bytes);

#endif
