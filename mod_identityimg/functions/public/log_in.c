/* log_in.c - let somebody in who knows a password: a token for him, of which only its hash is kept.
 */
#include "functions/public/public.h"

#include "functions/shared/audit.h"
#include "functions/shared/unauthenticated.h"
#include "functions/shared/verify_login.h"
#include "services/accounts/token.h"

typedef struct making_t {
    iimg_new_token_t wanted;
    iimg_caller_t caller;   /* who logs in */
    const char *expires_at; /* NULL: the password has changed since it was verified */
} making_t;

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    making_t *making = baton;
    const char *id;
    iimg_error_t *err = iimg_token_insert(context, &making->wanted, &making->expires_at, &id);

    return !err && id ? iimg_audit_member(context, "create", "auth_tokens", id, making->wanted.kind)
                      : err;
}

static iimg_error_t *make_token(iimg_context_t *context, making_t *making, const char **token)
{
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];

    *token = iimg_token_create(context->pool);
    if (!*token) {
        return iimg_error_internal(context->pool, "the system gave no random numbers");
    }
    iimg_token_digest(*token, digest);
    making->wanted.hash = iimg_token_hash(context->pool, digest);
    return iimg_db_transaction(context, insert_row, making);
}

static iimg_error_t *try(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                         making_t *making, iimg_new_session_t *session)
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
    making->caller = (iimg_caller_t){ login->user.id, login->user.is_staff, true, true };
    context->caller = &making->caller;
    making->wanted.user_id = login->user.id;
    making->wanted.password = login->hash;
    err = make_token(context, making, &session->token);
    session->expires_at = making->expires_at;
    return err;
}

iimg_error_t *iimg_log_in(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                          const char *kind, int seconds, iimg_new_session_t *session)
{
    making_t *making = apr_pcalloc(context->pool, sizeof(*making)); /* the caller stays */
    iimg_error_t *err;

    making->wanted.kind = kind;
    making->wanted.seconds = seconds;
    err = try(context, attempt, making, session);
    /* The stored hash has become another one in between: of the same password perhaps. */
    if (err) {
        return err;
    }
    if (!making->expires_at) {
        err = try(context, attempt, making, session);
        if (err) {
            return err;
        }
    }
    return making->expires_at ? NULL : iimg_unauthenticated(context, IIMG_WRONG_PASSWORD);
}
