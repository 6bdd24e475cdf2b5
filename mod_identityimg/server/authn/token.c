/* token.c - AuthType IdentityImg: our own tokens, from the Authorization header or a cookie.
 *
 * A token that was looked up is remembered by a MAC of its digest and the server, with its user's
 * email and epoch. Where our handler serves the request, the epoch goes into the statement that
 * does the work and must still be the user's: no other query, and a token that ended is out at
 * once, whatever child remembers it. Elsewhere it is looked up each time. */
#include "server/authn/authn.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include "functions/shared/unauthenticated.h"
#include "models/token.h"
#include "server/config/config.h"
#include "server/authn/credential_cache.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/authn/session.h"
#include "services/accounts/token.h"

#define AUTH_TYPE     "IdentityImg"
#define CACHE_SECONDS 60 /* no longer than the steps in which last_used_at is kept */
#define BEARER        "Bearer"

/* What the client came with: the header's token, or else the cookie's, which are of two kinds. NULL
 * for neither. */
static const char *token_of(request_rec *r, const char **kind)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    size_t n = strlen(BEARER);

    if (header && strncasecmp(header, BEARER, n) == 0 && (header[n] == ' ' || !header[n])) {
        *kind = IIMG_TOKEN_BEARER;
        return header + n + strspn(header + n, " ");
    }
    *kind = IIMG_TOKEN_SESSION;
    return iimg_session_token(r);
}

/* A token as it is looked up, and as it is remembered. */
typedef struct keys_t {
    const char *kind;
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];
    unsigned char memory[IIMG_CREDENTIALS_KEY];
} keys_t;

/* @return false when the request has no token of ours */
static bool keys_of(request_rec *r, keys_t *keys)
{
    const char *token = token_of(r, &keys->kind);

    if (!token || !iimg_token_has_form(token, strlen(token))) {
        return false;
    }
    iimg_token_digest(token, keys->digest);
    return iimg_credentials_key(r->server, keys->kind, keys->digest, sizeof(keys->digest),
                                keys->memory);
}

static void let_in(request_rec *r, const keys_t *keys, const iimg_credentials_t *credentials,
                   bool ours)
{
    iimg_context_t *context;

    r->user = (char *)credentials->login;
    r->ap_auth_type = (char *)AUTH_TYPE;
    context = iimg_context_of(r);
    context->login_proof = credentials->proof;
    context->login_token = iimg_token_hash(r->pool, keys->digest);
    iimg_login_open_set(r, ours);
}

/* Errors: IIMG_UNAUTHENTICATED, IIMG_UNAVAILABLE. */
static iimg_error_t *look_up(request_rec *r, const keys_t *keys, bool ours)
{
    iimg_context_t *context = iimg_context_of(r);
    iimg_token_owner_t owner;
    iimg_credentials_t credentials;
    iimg_error_t *err = iimg_token_use(context, iimg_token_hash(r->pool, keys->digest), keys->kind,
                                       &owner);

    if (err) {
        return err;
    }
    if (!owner.email) {
        return iimg_unauthenticated(context, IIMG_INVALID_TOKEN);
    }
    if (!owner.is_active && !ours) {
        return iimg_unauthenticated(context,
                                    IIMG_INACTIVE_USER); /* our own handler says it itself */
    }
    credentials = (iimg_credentials_t){ owner.email, owner.epoch };
    if (owner.is_active) {
        iimg_credentials_remember(keys->memory, &credentials,
                                  owner.seconds < CACHE_SECONDS ? owner.seconds : CACHE_SECONDS);
    }
    let_in(r, keys, &credentials, ours);
    return NULL;
}

static iimg_error_t *check(request_rec *r)
{
    bool ours = iimg_location_of(r)->use == IIMG_LOCATION_API;
    keys_t keys;
    iimg_credentials_t known;

    if (!keys_of(r, &keys)) {
        return iimg_unauthenticated(
            iimg_context_of(r), token_of(r, &keys.kind) ? IIMG_INVALID_TOKEN : IIMG_NO_CREDENTIALS);
    }
    if (ours && iimg_credentials_recall(r->pool, keys.memory, &known)) {
        let_in(r, &keys, &known, true);
        return NULL;
    }
    return look_up(r, &keys, ours);
}

int iimg_authn_check_token(request_rec *r)
{
    const char *type = ap_auth_type(r);
    iimg_error_t *err;

    if (!type || strcasecmp(type, AUTH_TYPE) != 0) {
        return DECLINED;
    }
    err = check(r);
    return err ? iimg_authn_refuse(r, err) : OK;
}

bool iimg_authn_renew_token(request_rec *r)
{
    keys_t keys;

    /* What was not remembered has just been looked up. */
    return keys_of(r, &keys) && iimg_credentials_forget(keys.memory)
           && look_up(r, &keys, true) == NULL;
}

void iimg_authn_forget_token(request_rec *r)
{
    keys_t keys;

    if (keys_of(r, &keys)) {
        iimg_credentials_forget(keys.memory);
    }
}

void iimg_authn_clear_dead(request_rec *r, const iimg_error_t *err)
{
    const char *kind;

    if (err->kind == IIMG_UNAUTHENTICATED && err->code && strcmp(err->code, "invalid_token") == 0
        && token_of(r, &kind) && strcmp(kind, IIMG_TOKEN_SESSION) == 0) {
        iimg_session_clear(r);
    }
}
