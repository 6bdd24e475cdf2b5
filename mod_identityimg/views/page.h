/* page.h - read the query of a list that is sent in pages, and send a page. */
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
 * @param query the whole query, for the list's own filters
 * Errors: IIMG_INVALID naming the parameter.
 */
iimg_error_t *iimg_read_page(iimg_request_t *req, iimg_page_t *page, iimg_input_t **query);

/** Read a filter: NULL when absent or empty, "t" or "f" for a flag. Errors: IIMG_INVALID. */
iimg_error_t *iimg_read_uuid_filter(const iimg_input_t *query, const char *name,
                                    const char **value);
iimg_error_t *iimg_read_flag_filter(const iimg_input_t *query, const char *name,
                                    const char **value);
iimg_error_t *iimg_read_text_filter(const iimg_input_t *query, const char *name, apr_size_t max,
                                    const char **value);

/** Report an invalid query to staff. @return for other callers the error that they are not staff */
iimg_error_t *iimg_refuse_list(iimg_request_t *req, iimg_error_t *problem);

/** Write one row of a list as JSON. */
typedef void (*iimg_write_row_fn)(iimg_json_t *out, iimg_media_signer_t *signer, const void *row);

/**
 * Send 200 with a page: {"results": [...], "next": URL or null}. The URL is that of this request
 * with another `before`.
 */
iimg_error_t *iimg_answer_page(iimg_request_t *req, const iimg_page_t *page,
                               const apr_array_header_t *rows, iimg_write_row_fn write);

/** Set Location to the path of a new row, below the request's path. */
void iimg_set_location(iimg_request_t *req, const char *id);

#endif
