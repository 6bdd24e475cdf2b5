/* basic.c - AuthBasicProvider identityimg: passwords from users, hashed once a minute at most.
 *
 * A verified password is remembered as HMAC(key of this child, server + email + password), beside
 * the stored hash that it was verified against. Where our handler serves the request, that hash
 * goes into the statement that does the work and must still be the user's: no other query, and a
 * changed password ends it at once. Elsewhere the hash is looked up and compared here. */
#include "server/authn/authn.h"

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
#include "server/config/config.h"
#include "server/authn/credential_cache.h"
#include "server/http/request.h"
#include "services/accounts/password.h"
#include "services/accounts/password_queue.h"

#define MAX_EMAIL 254 /* characters */

static bool make_mac(request_rec *r, const char *user, const char *password, unsigned char *out)
{
    char *text = apr_pstrcat(r->pool, user, "\n", password, NULL);
    size_t length = strlen(text);
    bool made;

    for (char *p = text; *p != '\n'; p++) {
        *p = apr_tolower(*p);
    }
    made = iimg_credentials_key(r->server, "basic", text, length, out);
    OPENSSL_cleanse(text, length);
    return made;
}

/* Verifying ----------------------------------------------------------------------------------- */

static authn_status refuse_for(request_rec *r, iimg_error_t *err)
{
    /* httpd makes 500 of it; the error path answers what it really is. */
    iimg_pending_error_set(r, err);
    return AUTH_GENERAL_ERROR;
}

/* Credentials that are not remembered. */
static authn_status verify_anew(request_rec *r, const char *user, const char *password,
                                const unsigned char *mac, bool ours)
{
    iimg_login_attempt_t attempt;
    iimg_login_t *login;
    iimg_error_t *err;

    iimg_authn_attempt(r, user, password, &attempt);
    err = iimg_verify_login(iimg_context_of(r), &attempt, &login);
    if (err) {
        return refuse_for(r, err);
    }
    if (!login) {
        return AUTH_DENIED;
    }
    if (login->is_active) {
        iimg_credentials_remember(mac, &(iimg_credentials_t){ login->user.email, login->hash },
                                  iimg_config_of(r->server)->basic_cache);
    }
    /* Our own handler says "User inactive or deleted." itself. */
    iimg_login_open_set(r, ours);
    return login->is_active || ours ? AUTH_GRANTED : AUTH_DENIED;
}

/* Remembered, and the statement that does the work looks whether the hash is still that one. */
static authn_status trust(request_rec *r, const iimg_credentials_t *known)
{
    iimg_context_of(r)->login_proof = known->proof;
    iimg_login_open_set(r, true);
    return AUTH_GRANTED;
}

/* A page's many requests, sent at once, are one attempt and cost one hash. */
static authn_status verify_once(request_rec *r, const char *user, const char *password,
                                const unsigned char *mac, bool ours)
{
    iimg_credentials_t known;
    authn_status status;

    if (!iimg_credentials_claim(mac)) {
        return refuse_for(r, iimg_password_busy(iimg_context_of(r)));
    }
    if (ours && iimg_credentials_recall(r->pool, mac, &known)) {
        status = trust(r, &known);
    }
    else {
        status = verify_anew(r, user, password, mac, ours);
    }
    iimg_credentials_release(mac);
    return status;
}

/* Remembered, but the hash may be another one by now: also of the same password. */
static authn_status recheck(request_rec *r, const char *user, const char *password,
                            const unsigned char *mac, const char *remembered)
{
    const char *hash;
    bool active;
    iimg_error_t *err = iimg_user_password_by_email(iimg_context_of(r), user, &hash, &active);

    if (err) {
        return refuse_for(r, err);
    }
    if (hash && active && strcmp(hash, remembered) == 0) {
        return AUTH_GRANTED;
    }
    iimg_credentials_forget(mac);
    return verify_anew(r, user, password, mac, false);
}

/* httpd's strings end at a NUL: what stands behind one would be no part of the password. */
static bool hides_nul(request_rec *r)
{
    bool proxied = r->proxyreq == PROXYREQ_PROXY;
    const char *header = apr_table_get(r->headers_in,
                                       proxied ? "Proxy-Authorization" : "Authorization");
    char *decoded;
    int length;

    if (!header || strncasecmp(header, "Basic ", 6) != 0) {
        return false; /* another module asks, for a form */
    }
    header += 6;
    header += strspn(header, " \t");
    decoded = apr_palloc(r->pool, (apr_size_t)apr_base64_decode_len(header) + 1);
    length = apr_base64_decode(decoded, header);
    return memchr(decoded, '\0', (size_t)length) != NULL;
}

static bool has_form(request_rec *r, const char *user, const char *password)
{
    return strlen(password) <= IIMG_PASSWORD_MAX && !hides_nul(r)
           && iimg_text_is_utf8(user, strlen(user)) && iimg_text_characters(user) <= MAX_EMAIL;
}

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    bool ours = iimg_location_of(r)->use == IIMG_LOCATION_API;
    unsigned char mac[IIMG_CREDENTIALS_KEY];
    iimg_credentials_t known;

    if (!has_form(r, user, password)) {
        return AUTH_DENIED;
    }
    user = iimg_login_form(r->pool, user);
    if (!make_mac(r, user, password, mac)) {
        return AUTH_GENERAL_ERROR;
    }
    if (!iimg_credentials_recall(r->pool, mac, &known)) {
        return verify_once(r, user, password, mac, ours);
    }
    return ours ? trust(r, &known) : recheck(r, user, password, mac, known.proof);
}

bool iimg_authn_renew_basic(request_rec *r)
{
    const char *password, *user = iimg_login_form(r->pool, r->user);
    unsigned char mac[IIMG_CREDENTIALS_KEY];

    if (ap_get_basic_auth_components(r, NULL, &password) != APR_SUCCESS
        || !make_mac(r, user, password, mac)) {
        return false;
    }
    iimg_credentials_forget(mac);
    iimg_context_of(r)->login_proof = NULL;
    return verify_anew(r, user, password, mac, true) == AUTH_GRANTED;
}

static const authn_provider provider = { &check_password, NULL };

void iimg_authn_register_basic(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "identityimg", AUTHN_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}
