/* list_reference_images.c - list a user's photos. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"
#include "functions/shared/scope.h"

iimg_error_t *iimg_list_reference_images(iimg_context_t *context, const iimg_scope_t *scope,
                                         apr_array_header_t **images)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_reference_image_list(context, scope->user_id, &caller, images);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_USER);
    if (err) {
        return err;
    }
    return iimg_check_scope(context, scope);
}
