/* delete_token.c - end one of the caller's sessions or bearer tokens. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/not_found.h"

typedef struct ending_t {
    const char *id;
    iimg_ended_token_t ended;
} ending_t;

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    ending_t *ending = baton;
    bool found = false;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found); /* see log_out.c */

    if (!err) {
        err = iimg_token_delete(context, context->caller->id, ending->id, &ending->ended);
    }
    if (!err && !ending->ended.id) {
        err = iimg_not_found(context);
    }
    return err ? err
               : iimg_audit_member(context, "delete", "auth_tokens", ending->ended.id,
                                   ending->ended.kind);
}

iimg_error_t *iimg_delete_token(iimg_context_t *context, const char *id, const char **hash)
{
    ending_t ending = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &ending);

    *hash = ending.ended.hash;
    return err;
}
