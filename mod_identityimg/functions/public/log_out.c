/* log_out.c - end the token that the caller came in with. */
#include "functions/public/public.h"

#include "services/token.h"

iimg_error_t *iimg_log_out(iimg_context_t *context)
{
    return iimg_token_is_hash(context->login_proof)
               ? iimg_token_delete_by_hash(context, context->login_proof) : NULL;
}
