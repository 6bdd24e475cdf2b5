/* basic.c - AuthBasicProvider identityimg: passwords of the table users, hashed once a minute.
 *
 * The cache's key is an HMAC of server, email and password; its entry holds the stored hash that
 * the password was verified against. Where our handler serves the request, that hash goes into the
 * statement that does the work and must still be the user's: no further query, and a changed
 * password takes effect at once. Elsewhere the hash is read and compared here. */
#include "server/authn/basic.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_base64.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <ap_provider.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>
#include <openssl/crypto.h>
#include "base/text.h"
#include "functions/shared/verify_login.h"
#include "server/authn/attempt.h"
#include "server/authn/credential_cache.h"
#include "server/config/config.h"
#include "server/http/request.h"
#include "services/accounts/password.h"
#include "services/accounts/password_queue.h"

#define MAX_EMAIL 254 /* characters */

static bool make_key(request_rec *r, const char *user, const char *password, unsigned char *key)
{
    char *text = apr_pstrcat(r->pool, user, "\n", password, NULL);
    size_t length = strlen(text);
    bool made;

    for (char *p = text; *p != '\n'; p++) {
        *p = apr_tolower(*p);
    }
    made = iimg_credential_cache_key(r->server, "basic", text, length, key);
    OPENSSL_cleanse(text, length);
    return made;
}

/* Verify -------------------------------------------------------------------------------------- */

static authn_status fail_with(request_rec *r, iimg_error_t *err)
{
    iimg_pending_error_set(r, err);
    return AUTH_GENERAL_ERROR; /* the ErrorDocument answers the error's own status */
}

static authn_status verify_password(request_rec *r, const char *user, const char *password,
                                    const unsigned char *key, bool ours)
{
    iimg_login_attempt_t attempt;
    iimg_login_t *login;
    iimg_error_t *err;

    iimg_authn_attempt(r, user, password, &attempt);
    err = iimg_verify_login(iimg_context_of(r), &attempt, &login);
    if (err) {
        return fail_with(r, err);
    }
    if (!login) {
        return AUTH_DENIED;
    }
    if (login->is_active) {
        iimg_credential_cache_put(key, &(iimg_credentials_t){ login->user.email, login->hash },
                                  iimg_config_of(r->server)->basic_cache);
    }
    /* Our handler answers "User inactive or deleted." */
    iimg_login_open_set(r, ours);
    return login->is_active || ours ? AUTH_GRANTED : AUTH_DENIED;
}

/* The statement that does the work compares the hash. */
static authn_status trust_cache(request_rec *r, const iimg_credentials_t *cached)
{
    iimg_context_of(r)->login_proof = cached->proof;
    iimg_login_open_set(r, true);
    return AUTH_GRANTED;
}

/* Concurrent requests of a page count as one attempt and cost one hash. */
static authn_status verify_once(request_rec *r, const char *user, const char *password,
                                const unsigned char *key, bool ours)
{
    iimg_credentials_t cached;
    authn_status status;

    if (!iimg_credential_cache_lock(key)) {
        return fail_with(r, iimg_password_busy(iimg_context_of(r)));
    }
    if (ours && iimg_credential_cache_get(r->pool, key, &cached)) {
        status = trust_cache(r, &cached);
    }
    else {
        status = verify_password(r, user, password, key, ours);
    }
    iimg_credential_cache_unlock(key);
    return status;
}

/* The user's hash may have changed, even if the password has not. */
static authn_status compare_hash(request_rec *r, const char *user, const char *password,
                                 const unsigned char *key, const char *cached_hash)
{
    const char *hash;
    bool active;
    iimg_error_t *err = iimg_user_password_by_email(iimg_context_of(r), user, &hash, &active);

    if (err) {
        return fail_with(r, err);
    }
    if (hash && active && strcmp(hash, cached_hash) == 0) {
        return AUTH_GRANTED;
    }
    iimg_credential_cache_remove(key);
    return verify_password(r, user, password, key, false);
}

/* httpd's strings end at a NUL: the password would be verified only up to it. */
static bool has_nul(request_rec *r)
{
    bool proxied = r->proxyreq == PROXYREQ_PROXY;
    const char *header = apr_table_get(r->headers_in,
                                       proxied ? "Proxy-Authorization" : "Authorization");
    char *decoded;
    int length;

    if (!header || strncasecmp(header, "Basic ", 6) != 0) {
        return false; /* another module calls the provider, such as mod_auth_form */
    }
    header += 6;
    header += strspn(header, " \t");
    decoded = apr_palloc(r->pool, (apr_size_t)apr_base64_decode_len(header) + 1);
    length = apr_base64_decode(decoded, header);
    return memchr(decoded, '\0', (size_t)length) != NULL;
}

static bool is_wellformed(request_rec *r, const char *user, const char *password)
{
    return strlen(password) <= IIMG_PASSWORD_MAX && !has_nul(r)
           && iimg_text_is_utf8(user, strlen(user)) && iimg_text_characters(user) <= MAX_EMAIL;
}

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    bool ours = iimg_location_of(r)->use == IIMG_LOCATION_API;
    unsigned char key[IIMG_CREDENTIAL_KEY_BYTES];
    iimg_credentials_t cached;

    if (!is_wellformed(r, user, password)) {
        return AUTH_DENIED;
    }
    user = iimg_login_form(r->pool, user);
    if (!make_key(r, user, password, key)) {
        return AUTH_GENERAL_ERROR;
    }
    if (!iimg_credential_cache_get(r->pool, key, &cached)) {
        return verify_once(r, user, password, key, ours);
    }
    return ours ? trust_cache(r, &cached) : compare_hash(r, user, password, key, cached.proof);
}

bool iimg_authn_renew_basic(request_rec *r)
{
    const char *password, *user = iimg_login_form(r->pool, r->user);
    unsigned char key[IIMG_CREDENTIAL_KEY_BYTES];

    if (ap_get_basic_auth_components(r, NULL, &password) != APR_SUCCESS
        || !make_key(r, user, password, key)) {
        return false;
    }
    iimg_credential_cache_remove(key);
    iimg_context_of(r)->login_proof = NULL;
    return verify_password(r, user, password, key, true) == AUTH_GRANTED;
}

static const authn_provider provider = { &check_password, NULL };

void iimg_authn_register_basic(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "identityimg", AUTHN_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}
