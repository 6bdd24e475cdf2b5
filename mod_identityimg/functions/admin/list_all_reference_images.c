/* list_all_reference_images.c - a page of all users' photos, the newest first. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_all_reference_images(iimg_context_t *context, iimg_page_t *page,
                                             const iimg_reference_image_filter_t *filter,
                                             apr_array_header_t **images)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_reference_image_list_all(context, page, filter, &caller, images);

    return err ? err : iimg_accept_caller(context, caller, IIMG_STAFF);
}
