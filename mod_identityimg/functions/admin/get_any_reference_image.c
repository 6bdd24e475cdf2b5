/* get_any_reference_image.c - one photo, whosever. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_any_reference_image(iimg_context_t *context, const char *id,
                                           iimg_reference_image_t **image)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_reference_image_for_staff(context, id, &caller, image);

    if (!err) {
        err = iimg_accept_caller(context, caller, IIMG_STAFF);
    }
    return !err && !*image ? iimg_not_found(context) : err;
}
