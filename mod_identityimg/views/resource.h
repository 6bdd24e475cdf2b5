/* resource.h - views of the resources that staff list, read, create, change and delete. */
#ifndef IIMG_VIEWS_RESOURCE_H
#define IIMG_VIEWS_RESOURCE_H

#include "functions/admin/resource.h"
#include "views/page.h"

/** How clients see a resource. */
typedef struct iimg_resource_view_t {
    const char *path; /* of its routes */
    const iimg_resource_t *rows;
    const char *const *required; /* members of a new row; NULL at the end */
    int seconds;                 /* that a create may take */
    apr_size_t picture;          /* offset of a picture's key in a row; 0: rows have no pictures */

    /* Read a list's own filters. NULL: it has none. */
    iimg_error_t *(*read_filter)(const iimg_input_t *query, iimg_row_filter_t *filter);

    /* Read the members of a new row, and of a change. */
    iimg_error_t *(*read_new)(iimg_request_t *req, const iimg_input_t *input,
                              iimg_row_change_t *change);
    iimg_error_t *(*read_change)(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_row_change_t *change);

    iimg_write_row_fn write;
} iimg_resource_view_t;

extern const iimg_resource_view_t iimg_admin_users;
extern const iimg_resource_view_t iimg_admin_identities;
extern const iimg_resource_view_t iimg_admin_reference_images;
extern const iimg_resource_view_t iimg_admin_test_scenarios;

#endif
