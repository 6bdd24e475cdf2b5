/* reference_image_resource.c - photos of all users, for staff. The users' own functions change
 * them. */
#include "functions/admin/resource.h"

#include "functions/shared/version.h"

static iimg_error_t *list_images(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_row_filter_t *filter, const iimg_caller_t **caller,
                                 apr_array_header_t **rows)
{
    return iimg_reference_image_list_all(context, page, &filter->reference_image, caller, rows);
}

static iimg_error_t *find_image(iimg_context_t *context, const char *id,
                                const iimg_caller_t **caller, iimg_row_t *row)
{
    return iimg_reference_image_for_staff(context, id, caller, &row->reference_image);
}

static iimg_error_t *create_image(iimg_context_t *context, const iimg_resource_t *resource,
                                  iimg_row_change_t *change, iimg_row_t *row)
{
    (void)resource;
    return iimg_create_reference_image(context, change->new_reference_image.user_id.value,
                                       &change->new_reference_image.members, &row->reference_image);
}

static iimg_error_t *change_image(iimg_context_t *context, const iimg_resource_t *resource,
                                  iimg_row_change_t *change, iimg_row_t *row)
{
    const iimg_reference_image_t *image = row->reference_image;

    (void)resource;
    if (!change->reference_image.name && !change->reference_image.order) {
        return NULL;
    }
    return iimg_update_reference_image(context, image->user_id, image->id, &change->reference_image,
                                       &row->reference_image);
}

static iimg_error_t *delete_image(iimg_context_t *context, const iimg_resource_t *resource,
                                  const char *id)
{
    iimg_row_t row;
    iimg_error_t *err = iimg_get_row(context, resource, id, &row);

    if (err) {
        return err;
    }
    err = iimg_check_version(context, row.reference_image->version);
    if (err) {
        return err;
    }
    return iimg_delete_reference_image(context, row.reference_image->user_id, id);
}

const iimg_resource_t iimg_reference_image_resource = {
    .table = "reference_images",
    .id = offsetof(iimg_reference_image_t, id),
    .version = offsetof(iimg_reference_image_t, version),
    .list = list_images,
    .find = find_image,
    .create = create_image,
    .change = change_image,
    .delete = delete_image,
};
