/* log_in.c - verify a password and create a token, of which only a hash is stored. */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/unauthenticated.h"
#include "functions/shared/verify_login.h"
#include "services/accounts/token.h"

typedef struct creation_t {
    iimg_new_token_t wanted;
    iimg_caller_t caller;   /* the user who logs in */
    const char *expires_at; /* NULL: the password changed after it was verified */
} creation_t;

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    const char *id;
    iimg_error_t *err = iimg_token_insert(context, &creation->wanted, &creation->expires_at, &id);

    if (err || !id) {
        return err;
    }
    return iimg_audit_member(context, "create", "auth_tokens", id, creation->wanted.kind);
}

static iimg_error_t *create_token(iimg_context_t *context, creation_t *creation, const char **token)
{
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];

    *token = iimg_token_create(context->pool);
    if (!*token) {
        return iimg_error_internal(context->pool, "the system gave no random numbers");
    }
    iimg_token_digest(*token, digest);
    creation->wanted.hash = iimg_token_hash(context->pool, digest);
    return iimg_db_transaction(context, insert_row, creation);
}

static iimg_error_t *try_login(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                               creation_t *creation, iimg_new_session_t *session)
{
    iimg_login_t *login;
    iimg_error_t *err = iimg_verify_login(context, attempt, &login);

    if (err) {
        return err;
    }
    if (!login) {
        return iimg_unauthenticated(context, IIMG_WRONG_PASSWORD);
    }
    if (!login->is_active) {
        return iimg_unauthenticated(context, IIMG_INACTIVE_USER);
    }
    session->user = login->user;
    creation->caller = (iimg_caller_t){ login->user.id, login->user.is_staff, true, true };
    context->caller = &creation->caller;
    creation->wanted.user_id = login->user.id;
    creation->wanted.password = login->hash;
    err = create_token(context, creation, &session->token);
    session->expires_at = creation->expires_at;
    return err;
}

iimg_error_t *iimg_log_in(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                          const char *kind, int seconds, iimg_new_session_t *session)
{
    creation_t *creation = apr_pcalloc(context->pool,
                                       sizeof(*creation)); /* context->caller refers to it */
    iimg_error_t *err;

    creation->wanted.kind = kind;
    creation->wanted.seconds = seconds;
    err = try_login(context, attempt, creation, session);
    if (err) {
        return err;
    }
    if (!creation->expires_at) { /* the hash changed, perhaps to another one of the same password */
        err = try_login(context, attempt, creation, session);
        if (err) {
            return err;
        }
    }
    return creation->expires_at ? NULL : iimg_unauthenticated(context, IIMG_WRONG_PASSWORD);
}
