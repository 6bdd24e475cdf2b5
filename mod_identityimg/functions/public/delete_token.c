/* delete_token.c - delete one of the caller's sessions or bearer tokens. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/not_found.h"

typedef struct deletion_t {
    const char *id;
    iimg_ended_token_t token;
} deletion_t;

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    deletion_t *deletion = baton;
    bool found = false;
    iimg_error_t *err = iimg_user_lock(context, context->caller->id, &found); /* see log_out.c */

    if (err) {
        return err;
    }
    err = iimg_token_delete(context, context->caller->id, deletion->id, &deletion->token);
    if (err) {
        return err;
    }
    if (!deletion->token.id) {
        return iimg_not_found(context);
    }
    return iimg_audit_member(context, "delete", "auth_tokens", deletion->token.id,
                             deletion->token.kind);
}

iimg_error_t *iimg_delete_token(iimg_context_t *context, const char *id, const char **hash)
{
    deletion_t deletion = { .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &deletion);

    *hash = deletion.token.hash;
    return err;
}
