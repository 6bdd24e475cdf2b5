/* page.h - lists that are answered in pieces: what the query asks for, and the answer. */
#ifndef IIMG_VIEWS_PAGE_H
#define IIMG_VIEWS_PAGE_H

#include "base/json/json.h"
#include "models/page.h"
#include "server/http/request.h"
#include "services/media_url.h"

#define IIMG_PAGE_DEFAULT_LIMIT 25
#define IIMG_PAGE_MAX_LIMIT     100
#define IIMG_PAGE_MAX_SEARCH    100 /* characters */

/**
 * Read `?limit=`, `?before=` and `?search=`.
 * @param query all of the query, for the list's own filters
 * Errors: IIMG_INVALID naming the parameter.
 */
iimg_error_t *iimg_read_page(iimg_request_t *req, iimg_page_t *page, iimg_input_t **query);

/** Filters, NULL when absent or empty. `value` of a flag is "t" or "f". Errors: IIMG_INVALID. */
iimg_error_t *iimg_read_uuid_filter(const iimg_input_t *query, const char *name,
                                    const char **value);
iimg_error_t *iimg_read_flag_filter(const iimg_input_t *query, const char *name,
                                    const char **value);
iimg_error_t *iimg_read_text_filter(const iimg_input_t *query, const char *name, apr_size_t max,
                                    const char **value);

/** What is wrong with a list's query, told to staff alone: others hear that they may not ask. */
iimg_error_t *iimg_refuse_list(iimg_request_t *req, iimg_error_t *problem);

/** Write one row of a list as JSON. */
typedef void (*iimg_write_row_fn)(iimg_json_t *out, iimg_media_signer_t *signer, const void *row);

/**
 * Answer 200 with a page that was read: {"results": [...], "next": URL or null}. The URL is this
 * request's own, with another `before`.
 */
iimg_error_t *iimg_answer_page(iimg_request_t *req, const iimg_page_t *page,
                               const apr_array_header_t *rows, iimg_write_row_fn write);

/** Set Location to a new row's path below the request's own. */
void iimg_set_location(iimg_request_t *req, const char *id);

#endif
