/* scope.c - the user whose photos a request selects. */
#include "functions/shared/scope.h"

#include "models/user.h"

iimg_error_t *iimg_check_scope(iimg_context_t *context, const iimg_scope_t *scope)
{
    return context->caller->is_staff ? scope->problem : NULL;
}
