/* number.h - integers of a client's JSON that are beyond the 64 bits that jansson takes. */
#ifndef IIMG_BASE_JSON_NUMBER_H
#define IIMG_BASE_JSON_NUMBER_H

#include <apr_pools.h>
#include <apr_tables.h>

/**
 * Replace integers beyond 64 bits, which jansson refuses, by the nearest one within; not those of
 * more than 1000 characters, which it may refuse. Positions in the text and invalid JSON stay
 * unchanged.
 * @param numbers those that were replaced, as they were written (const char *); NULL when none was
 * @return text itself when none was, else a copy
 */
const char *iimg_json_clamp_numbers(apr_pool_t *pool, const char *text, apr_size_t length,
                                    apr_array_header_t **numbers);

#endif
