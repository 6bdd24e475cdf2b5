/* admin_reference_images.c - photos of all users, for staff. */
#include "views/resource.h"
#include "views/shared.h"

static iimg_error_t *read_filter(const iimg_input_t *query, iimg_row_filter_t *filter)
{
    iimg_error_t *err = iimg_read_uuid_filter(query, "user_id", &filter->reference_image.user_id);

    return iimg_error_join(
        err, iimg_read_flag_filter(query, "has_image", &filter->reference_image.has_image));
}

static iimg_error_t *read_new(iimg_request_t *req, const iimg_input_t *input,
                              iimg_row_change_t *change)
{
    iimg_error_t *err = iimg_input_given_uuid(input, "user_id", 0,
                                              &change->new_reference_image.user_id);

    return iimg_error_join(
        err, iimg_read_new_reference_image(req, input, &change->new_reference_image.members));
}

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_row_change_t *change)
{
    return iimg_read_reference_image_change(req, input, &change->reference_image);
}

const iimg_resource_view_t iimg_admin_reference_images = {
    .path = "admin/reference-images/",
    .rows = &iimg_reference_image_resource,
    .required = (const char *const[]){ "user_id", NULL },
    .seconds = IIMG_PICTURE_SECONDS,
    .picture = offsetof(iimg_reference_image_t, picture.key),
    .read_filter = read_filter,
    .read_new = read_new,
    .read_change = read_change,
    .write = iimg_write_reference_image,
};
