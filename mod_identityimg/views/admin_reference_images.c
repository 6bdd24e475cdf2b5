/* admin_reference_images.c - all users' photos, for staff. */
#include "views/views.h"

#include "functions/admin/admin.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/page.h"
#include "views/shared.h"

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    iimg_reference_image_serialize(out, signer, row);
}

static iimg_error_t *read_list(iimg_request_t *req, iimg_page_t *page,
                               iimg_reference_image_filter_t *filter)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_read_page(req, page, &query);

    err = iimg_error_join(err, iimg_read_uuid_filter(query, "user_id", &filter->user_id));
    return iimg_error_join(err, iimg_read_flag_filter(query, "has_image", &filter->has_image));
}

iimg_error_t *iimg_view_admin_reference_image_list(iimg_request_t *req)
{
    apr_array_header_t *images;
    iimg_reference_image_filter_t filter;
    iimg_page_t page;
    iimg_error_t *err = read_list(req, &page, &filter);

    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_all_reference_images(req->context, &page, &filter, &images);
    return err ? err : iimg_answer_page(req, &page, images, write_row);
}

static iimg_error_t *read_new(iimg_request_t *req, const iimg_input_t *input, iimg_given_t *user_id,
                              iimg_new_reference_image_t *wanted)
{
    static const char *const required[] = { "user_id", NULL };
    iimg_error_t *err = iimg_input_require(input, required);

    err = iimg_error_join(err, iimg_input_given_uuid(input, "user_id", 0, user_id));
    return iimg_error_join(err, iimg_read_new_reference_image(req, input, wanted));
}

static iimg_error_t *answer_created(iimg_request_t *req, int status,
                                    const iimg_reference_image_t *image)
{
    iimg_set_location(req, image->id);
    return iimg_answer_reference_image(req, status, image);
}

/* The row that the request made when it came first, as it is now. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_get_any_reference_image(req->context, replay->id, &image);

    return err ? iimg_replay_error(req, err) : answer_created(req, replay->status, image);
}

iimg_error_t *iimg_view_admin_reference_image_create(iimg_request_t *req)
{
    iimg_new_reference_image_t wanted = { NULL, NULL, NULL };
    iimg_reference_image_t *image;
    iimg_given_t user_id;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (!err && replay) {
        return replay_create(req, replay);
    }
    if (!err) {
        err = read_new(req, input, &user_id, &wanted);
    }
    if (!err) {
        err = iimg_create_reference_image(req->context, user_id.value, &wanted, &image);
    }
    return err ? err : answer_created(req, HTTP_CREATED, image);
}

iimg_error_t *iimg_view_admin_reference_image_retrieve(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_get_any_reference_image(req->context, req->id, &image);

    return err ? err : iimg_answer_reference_image(req, HTTP_OK, image);
}

iimg_error_t *iimg_view_admin_reference_image_update(iimg_request_t *req)
{
    iimg_reference_image_change_t change;
    iimg_reference_image_t *image;
    iimg_input_t *input;
    iimg_error_t *err = iimg_get_any_reference_image(req->context, req->id, &image);

    if (!err) {
        err = iimg_check_version(req->context, image->version);
    }
    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = iimg_read_reference_image_change(req, input, &change);
    }
    if (!err && (change.name || change.order)) {
        err = iimg_update_reference_image(req->context, image->user_id, image->id, &change, &image);
    }
    return err ? err : iimg_answer_reference_image(req, HTTP_OK, image);
}

iimg_error_t *iimg_view_admin_reference_image_destroy(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_get_any_reference_image(req->context, req->id, &image);

    if (!err) {
        err = iimg_check_version(req->context, image->version);
    }
    if (!err) {
        err = iimg_delete_reference_image(req->context, image->user_id, image->id);
    }
    return err ? err : iimg_respond_no_content(req);
}
