/* token.c - AuthType IdentityImg: bearer tokens and sessions of the table tokens.
 *
 * The cache's key is a MAC of server, kind and the token's digest; its entry holds the user's email
 * and epoch. Where our handler serves the request, the epoch goes into the statement that does the
 * work and must still be the user's: no further query, and a token that ended is refused at once by
 * every child. Elsewhere the token is looked up each time. */
#include "server/authn/token.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include "functions/shared/unauthenticated.h"
#include "models/token.h"
#include "server/authn/credential_cache.h"
#include "server/authn/presented_token.h"
#include "server/authn/refusal.h"
#include "server/config/config.h"
#include "server/http/request.h"
#include "services/accounts/token.h"

#define AUTH_TYPE     "IdentityImg"
#define CACHE_SECONDS 60 /* not longer than the precision of last_used_at */

/* The keys of a token in the database and in the cache. */
typedef struct keys_t {
    const char *kind;
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];
    unsigned char cache_key[IIMG_CREDENTIAL_KEY_BYTES];
} keys_t;

/* @return false when the request has no token of ours */
static bool read_keys(request_rec *r, keys_t *keys)
{
    const char *token = iimg_presented_token(r, &keys->kind);

    if (!token || !iimg_token_has_form(token, strlen(token))) {
        return false;
    }
    iimg_token_digest(token, keys->digest);
    return iimg_credential_cache_key(r->server, keys->kind, keys->digest, sizeof(keys->digest),
                                     keys->cache_key);
}

static void accept_user(request_rec *r, const keys_t *keys, const iimg_credentials_t *credentials,
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
                                    IIMG_INACTIVE_USER); /* our handler answers it itself */
    }
    credentials = (iimg_credentials_t){ owner.email, owner.epoch };
    if (owner.is_active) {
        iimg_credential_cache_put(keys->cache_key, &credentials,
                                  owner.seconds < CACHE_SECONDS ? owner.seconds : CACHE_SECONDS);
    }
    accept_user(r, keys, &credentials, ours);
    return NULL;
}

static iimg_error_t *authenticate(request_rec *r)
{
    bool ours = iimg_location_of(r)->use == IIMG_LOCATION_API;
    keys_t keys;
    iimg_credentials_t cached;

    if (!read_keys(r, &keys)) {
        return iimg_unauthenticated(iimg_context_of(r), iimg_presented_token(r, &keys.kind)
                                                            ? IIMG_INVALID_TOKEN
                                                            : IIMG_NO_CREDENTIALS);
    }
    if (ours && iimg_credential_cache_get(r->pool, keys.cache_key, &cached)) {
        accept_user(r, &keys, &cached, true);
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
    err = authenticate(r);
    if (err) {
        return iimg_authn_refuse(r, err);
    }
    return OK;
}

bool iimg_authn_renew_token(request_rec *r)
{
    keys_t keys;

    /* A token that is not cached was looked up for this request already. */
    return read_keys(r, &keys) && iimg_credential_cache_remove(keys.cache_key)
           && look_up(r, &keys, true) == NULL;
}

void iimg_authn_forget_token(request_rec *r)
{
    keys_t keys;

    if (read_keys(r, &keys)) {
        iimg_credential_cache_remove(keys.cache_key);
    }
}
