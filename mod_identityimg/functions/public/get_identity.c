/* get_identity.c - one identity, for its owner or staff. */
#include "functions/public/public.h"

#include <string.h>

iimg_error_t *iimg_get_identity(iimg_context_t *context, const char *id,
                                iimg_identity_t **identity)
{
    iimg_error_t *err = iimg_identity_by_id(context, id, identity);

    if (err) {
        return err;
    }
    if (!*identity || !(context->caller->is_staff
                        || strcmp((*identity)->user_id, context->caller->id) == 0)) {
        return iimg_not_found(context);
    }
    return NULL;
}
