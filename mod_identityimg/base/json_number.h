/* json_number.h - numbers of a client's JSON that are valid but beyond what jansson takes. */
#ifndef IIMG_JSON_NUMBER_H
#define IIMG_JSON_NUMBER_H

#include <apr_pools.h>
#include <apr_tables.h>

/**
 * Replace numbers that jansson would refuse: an integer beyond 64 bits by the nearest one within, a
 * real beyond a double by another real. Positions in the text stay. Whatever is no JSON stays too.
 * @param numbers those that were replaced, as they were written (const char *); NULL when none was
 * @return text itself when none was, else a copy
 */
const char *iimg_json_clamp_numbers(apr_pool_t *pool, const char *text, apr_size_t length,
                                    apr_array_header_t **numbers);

#endif
