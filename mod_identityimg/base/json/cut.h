/* cut.h - JSON that comes in pieces, without the long strings in it, which stay where they are. */
#ifndef IIMG_BASE_JSON_CUT_H
#define IIMG_BASE_JSON_CUT_H

#include <stdbool.h>
#include <apr_pools.h>

/** Most strings that are cut out of one text. */
#define IIMG_JSON_MAX_CUTS 256

/** Where the characters of a string stand, as they are written: between its quotes. */
typedef struct iimg_json_span_t {
    apr_size_t offset, length;
} iimg_json_span_t;

typedef struct iimg_json_cut_t iimg_json_cut_t;

/**
 * Begin. What is left can be parsed by any parser: it is valid if the whole was, but for what
 * stands within the strings that were cut.
 * @param member     the values of members of this name are cut out when they are strings: what is
 *                   left says "0", "1", ..., their numbers
 * @param max_string bytes of any other string; a longer one is left as ""
 * @param max_rest   bytes of what is left; no string is begun with less than max_string of them to
 * go
 */
iimg_json_cut_t *iimg_json_cut_create(apr_pool_t *pool, const char *member, apr_size_t max_string,
                                      apr_size_t max_rest);

/** The next piece. @return false when there is too much; it stays so */
bool iimg_json_cut_feed(iimg_json_cut_t *cut, const char *data, apr_size_t length);

/** What is left so far, and how long it is. */
const char *iimg_json_cut_rest(const iimg_json_cut_t *cut, apr_size_t *length);

/**
 * As much as has come of the number-th string that is cut out, from 0.
 * @param whole whether it has ended @return false: it has not begun
 */
bool iimg_json_cut_part(const iimg_json_cut_t *cut, int number, iimg_json_span_t *span,
                        bool *whole);

/**
 * A string that was cut out and has ended.
 * @param number its value in what is left; NULL or anything else is no number
 * @return NULL when there is none such
 */
const iimg_json_span_t *iimg_json_cut_span(const iimg_json_cut_t *cut, const char *number);

#endif
