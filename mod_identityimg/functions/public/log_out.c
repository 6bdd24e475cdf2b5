/* log_out.c - end the token that the caller came in with. */
#include "functions/public/public.h"

/* The user's row first, as everybody does who ends tokens: no two wait for one another. */
static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    bool found;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found);

    (void)baton;
    return err ? err : iimg_token_delete_by_hash(context, context->login_token);
}

iimg_error_t *iimg_log_out(iimg_context_t *context)
{
    return context->login_token ? iimg_db_transaction(context, delete_row, NULL) : NULL;
}
