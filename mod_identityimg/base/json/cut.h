/* cut.h - scan JSON that arrives in pieces, and cut long strings out of it. */
#ifndef IIMG_BASE_JSON_CUT_H
#define IIMG_BASE_JSON_CUT_H

#include <stdbool.h>
#include <apr_pools.h>

/*
 *   cut = iimg_json_cut_create(pool, "data", max_string, max_rest);
 *   iimg_json_cut_feed(cut, data, length);                  for each piece
 *   rest = iimg_json_cut_rest(cut, &length);                parse this
 *   span = iimg_json_cut_span(cut, value of "data");        where the string is in the text
 */

/** Most strings that are cut out of a text. */
#define IIMG_JSON_MAX_CUTS 256

/** The position of a string in the text, between its quotes, with its escapes. */
typedef struct iimg_json_span_t {
    apr_size_t offset, length;
} iimg_json_span_t;

typedef struct iimg_json_cut_t iimg_json_cut_t;

/**
 * Start a scan. The rest is valid JSON if the text is; the content of strings that were cut is not
 * checked.
 * @param member     cut string values of members with this name, and replace them by their numbers:
 *                   "0", "1", ...
 * @param max_string bytes of other strings; longer ones are replaced by ""
 * @param max_rest   bytes of the rest; a string must not begin with less than max_string bytes free
 */
iimg_json_cut_t *iimg_json_cut_create(apr_pool_t *pool, const char *member, apr_size_t max_string,
                                      apr_size_t max_rest);

/** Scan the next piece. @return false when a limit has been exceeded, also in earlier pieces */
bool iimg_json_cut_feed(iimg_json_cut_t *cut, const char *data, apr_size_t length);

/** @return the rest so far, and its length */
const char *iimg_json_cut_rest(const iimg_json_cut_t *cut, apr_size_t *length);

/**
 * Get the part of a cut string that has arrived.
 * @param number of the string, from 0
 * @param whole  whether the string has ended
 * @return false when it has not begun
 */
bool iimg_json_cut_part(const iimg_json_cut_t *cut, int number, iimg_json_span_t *span,
                        bool *whole);

/**
 * Get a cut string that has ended.
 * @param number its value in the rest, or NULL
 * @return NULL when number is not that of such a string
 */
const iimg_json_span_t *iimg_json_cut_span(const iimg_json_cut_t *cut, const char *number);

#endif
