/* delete_token.c - end one of the caller's sessions or bearer tokens. */
#include "functions/public/public.h"

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    bool found = false;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found);   /* see log_out.c */

    if (!err) {
        err = iimg_token_delete(context, context->caller->id, baton, &found);
    }
    return !err && !found ? iimg_not_found(context) : err;
}

iimg_error_t *iimg_delete_token(iimg_context_t *context, const char *id)
{
    return iimg_db_transaction(context, delete_row, (void *)id);
}
