/* log_out.c - end the token that the caller came in with, and the session that his cookie carries.
 */
#include "functions/public/public.h"

#include "functions/shared/audit.h"

/* Of who came in by a token its own row; a cookie that came along only counts when it is his. */
static iimg_error_t *end_one(iimg_context_t *context, const char *hash)
{
    iimg_ended_token_t ended = { NULL, NULL, NULL };
    iimg_error_t *err = NULL;

    if (hash) {
        err = iimg_token_delete_by_hash(context, context->caller->id, hash, &ended);
    }
    return !err && ended.id
               ? iimg_audit_member(context, "delete", "auth_tokens", ended.id, ended.kind)
               : err;
}

/* The user's row first, as everybody does who ends tokens: no two wait for one another. */
static iimg_error_t *delete_rows(iimg_context_t *context, void *baton)
{
    const char *session = baton;
    bool found;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found);

    if (err) {
        return err;
    }
    err = end_one(context, context->login_token);
    if (err) {
        return err;
    }
    return end_one(context, session);
}

iimg_error_t *iimg_log_out(iimg_context_t *context, const char *session)
{
    return context->login_token || session
               ? iimg_db_transaction(context, delete_rows, (void *)session)
               : NULL;
}
