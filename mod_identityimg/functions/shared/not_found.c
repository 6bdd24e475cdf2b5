/* not_found.c - the errors of rows that do not exist or that the caller may not see. */
#include "functions/shared/not_found.h"

iimg_error_t *iimg_not_found(iimg_context_t *context)
{
    return iimg_error(context->pool, IIMG_NOT_FOUND, "Not found.");
}

iimg_error_t *iimg_identity_not_found(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_NOT_FOUND, "identity_not_found",
                                "Identity not found");
}
