/* number.h - replace integers beyond 64 bits, which jansson refuses. */
#ifndef IIMG_BASE_JSON_NUMBER_H
#define IIMG_BASE_JSON_NUMBER_H

#include <apr_pools.h>
#include <apr_tables.h>

/**
 * Replace integers beyond 64 bits by the nearest 64-bit integer. Integers of more than 1000
 * characters stay, and jansson refuses them. Positions of other text and invalid JSON do not
 * change.
 * @param numbers the replaced integers as written (const char *), or NULL
 * @return the same text when nothing was replaced, otherwise a copy
 */
const char *iimg_json_clamp_numbers(apr_pool_t *pool, const char *text, apr_size_t length,
                                    apr_array_header_t **numbers);

#endif
