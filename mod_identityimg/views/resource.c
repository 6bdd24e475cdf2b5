/* resource.c - views of the resources that staff list, read, create, change and delete. */
#include "views/resource.h"

#include <string.h>
#include "functions/shared/version.h"
#include "server/http/response.h"
#include "views/shared.h"
#include "views/views.h"

static const iimg_resource_view_t *const views[] = {
    &iimg_admin_users,
    &iimg_admin_identities,
    &iimg_admin_test_scenarios,
    &iimg_admin_reference_images,
};

/* The resource whose path the request's begins with: each route of the views below has one. */
static const iimg_resource_view_t *find_view(const iimg_request_t *req)
{
    size_t i = 0;

    while (strncmp(req->path, views[i]->path, strlen(views[i]->path)) != 0) {
        i++;
    }
    return views[i];
}

iimg_error_t *iimg_view_resource_list(iimg_request_t *req)
{
    const iimg_resource_view_t *view = find_view(req);
    iimg_row_filter_t filter;
    apr_array_header_t *rows;
    iimg_input_t *query;
    iimg_page_t page;
    iimg_error_t *err = iimg_read_page(req, &page, &query);

    if (view->read_filter) {
        err = iimg_error_join(err, view->read_filter(query, &filter));
    }
    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_rows(req->context, view->rows, &page, &filter, &rows);
    if (err) {
        return err;
    }
    return iimg_answer_page(req, &page, rows, view->write);
}

static iimg_error_t *answer_row(iimg_request_t *req, int status, iimg_row_t row)
{
    const iimg_resource_view_t *view = find_view(req);
    const char *const *picture = (const char *const *)((const char *)row.any + view->picture);
    bool has_urls = view->picture && *picture;

    return iimg_answer_row(req, status, iimg_row_version(view->rows, row), has_urls, view->write,
                           row.any);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status, iimg_row_t row)
{
    iimg_set_location(req, iimg_row_id(find_view(req)->rows, row));
    return answer_row(req, status, row);
}

/* The row that the first request created, in its present state. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_row_t row;
    iimg_error_t *err = iimg_get_row(req->context, find_view(req)->rows, replay->id, &row);

    if (err) {
        return iimg_replay_error(req, err);
    }
    return answer_created(req, replay->status, row);
}

iimg_error_t *iimg_view_resource_create(iimg_request_t *req)
{
    const iimg_resource_view_t *view = find_view(req);
    const iimg_replay_t *replay;
    iimg_row_change_t change;
    iimg_input_t *input;
    iimg_row_t row;
    iimg_error_t *err = iimg_request_input_once(req, view->seconds, IIMG_PATIENCE, &input, &replay);

    if (err) {
        return err;
    }
    if (replay) {
        return replay_create(req, replay);
    }
    err = iimg_error_join(iimg_input_require(input, view->required),
                          view->read_new(req, input, &change));
    if (err) {
        return err;
    }
    err = view->rows->create(req->context, view->rows, &change, &row);
    if (err) {
        return err;
    }
    return answer_created(req, HTTP_CREATED, row);
}

iimg_error_t *iimg_view_resource_retrieve(iimg_request_t *req)
{
    iimg_row_t row;
    iimg_error_t *err = iimg_get_row(req->context, find_view(req)->rows, req->id, &row);

    if (err) {
        return err;
    }
    return answer_row(req, HTTP_OK, row);
}

iimg_error_t *iimg_view_resource_update(iimg_request_t *req)
{
    const iimg_resource_view_t *view = find_view(req);
    iimg_row_change_t change;
    iimg_input_t *input;
    iimg_row_t row;
    iimg_error_t *err = iimg_get_row(req->context, view->rows, req->id, &row);

    if (err) {
        return err;
    }
    err = iimg_check_version(req->context, iimg_row_version(view->rows, row));
    if (err) {
        return err;
    }
    err = iimg_request_input(req, &input);
    if (err) {
        return err;
    }
    err = view->read_change(req, input, &change);
    if (err) {
        return err;
    }
    err = view->rows->change(req->context, view->rows, &change, &row);
    if (err) {
        return err;
    }
    return answer_row(req, HTTP_OK, row);
}

iimg_error_t *iimg_view_resource_destroy(iimg_request_t *req)
{
    const iimg_resource_t *rows = find_view(req)->rows;
    iimg_error_t *err = rows->delete (req->context, rows, req->id);

    if (err) {
        return err;
    }
    return iimg_respond_no_content(req);
}
