/* identity.c - lock one identity and check its owner. */
#include "functions/shared/identity.h"

#include <string.h>
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

iimg_error_t *iimg_lock_identity(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity)
{
    iimg_error_t *err = iimg_identity_lock(context, id, identity);

    if (err) {
        return err;
    }
    err = iimg_check_identity_owner(context, *identity);
    if (err) {
        return err;
    }
    return iimg_check_version(context, (*identity)->version);
}

iimg_error_t *iimg_check_identity_owner(iimg_context_t *context, const iimg_identity_t *identity)
{
    if (!identity) {
        return iimg_not_found(context);
    }
    if (!context->caller->is_staff && strcmp(identity->user_id, context->caller->id) != 0) {
        return iimg_not_found(context);
    }
    return NULL;
}
