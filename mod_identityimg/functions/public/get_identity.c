/* get_identity.c - read one identity, for its owner or staff. */
#include "functions/public/public.h"

#include "functions/shared/identity.h"

iimg_error_t *iimg_get_identity(iimg_context_t *context, const char *id, iimg_identity_t **identity)
{
    iimg_error_t *err = iimg_identity_by_id(context, id, identity);

    if (err) {
        return err;
    }
    return iimg_check_identity_owner(context, *identity);
}
