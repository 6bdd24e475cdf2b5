/* log_out.c - end the caller's token, and the session in the request's cookie. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"

/* Deletes only the caller's own tokens: the cookie may be another user's. */
static iimg_error_t *end_token(iimg_context_t *context, const char *hash)
{
    iimg_ended_token_t ended = { NULL, NULL, NULL };
    iimg_error_t *err;

    if (!hash) {
        return NULL;
    }
    err = iimg_token_delete_by_hash(context, context->caller->id, hash, &ended);
    if (err || !ended.id) {
        return err;
    }
    return iimg_audit_member(context, "delete", "auth_tokens", ended.id, ended.kind);
}

/* Locks the user's row first, as all functions that end tokens do, to avoid deadlocks. */
static iimg_error_t *delete_rows(iimg_context_t *context, void *baton)
{
    const char *session = baton;
    bool found;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found);

    if (err) {
        return err;
    }
    err = end_token(context, context->login_token);
    if (err) {
        return err;
    }
    return end_token(context, session);
}

iimg_error_t *iimg_log_out(iimg_context_t *context, const char *session)
{
    return context->login_token || session
               ? iimg_db_transaction(context, delete_rows, (void *)session)
               : NULL;
}
