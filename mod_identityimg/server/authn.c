/* authn.c - AuthBasicProvider identityimg: passwords from users, hashed once a minute at most.
 *
 * A verified password is remembered as HMAC(key of this child, email + password), beside the stored
 * hash that it was verified against. Where our handler serves the request, that hash goes into the
 * statement that does the work and must still be the user's: no other query, and a changed password
 * ends it at once. Elsewhere the hash is looked up and compared here. */
#include "server/authn.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <apr_base64.h>
#include <apr_lib.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <ap_provider.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "base/log.h"
#include "models/user.h"
#include "base/text.h"
#include "server/config.h"
#include "server/request.h"

#define SETS 512                /* places are found by the MAC's first bytes */
#define WAYS 4                  /* credentials that may share a place */
#define MAC_BYTES 32
#define MAX_HASH 160            /* Django's pbkdf2_sha256 has about 90 characters, bcrypt 60 */
#define MAX_PASSWORD 1024
#define KEY_BYTES 32

/* bcrypt, cost 10, of random bytes that nobody knows: unknown users cost what known ones do. */
static const char dummy_hash[] = "$2y$10$AuEVJwAySJbBTGB/wo/rH.Lq3YexchTe9CuSNKSJ71p50qkHTk0m6";

typedef struct entry_t {
    unsigned char mac[MAC_BYTES];
    char hash[MAX_HASH];        /* "" when free */
    apr_time_t expires;
} entry_t;

/* Made in child_init, then guarded by its own mutex. */
static struct {
    apr_thread_mutex_t *mutex;
    EVP_MAC_CTX *keyed;         /* a copy of it hashes; itself is only read */
    entry_t entries[SETS][WAYS];
} memory;

static EVP_MAC_CTX *keyed_mac(void)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0), OSSL_PARAM_construct_end()
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    unsigned char key[KEY_BYTES];

    EVP_MAC_free(hmac);
    if (mac && (getrandom(key, sizeof(key), 0) != sizeof(key)
                || !EVP_MAC_init(mac, key, sizeof(key), params))) {
        EVP_MAC_CTX_free(mac);
        mac = NULL;
    }
    OPENSSL_cleanse(key, sizeof(key));
    return mac;
}

apr_status_t iimg_authn_start(apr_pool_t *pool)
{
    memory.keyed = keyed_mac();
    return memory.keyed ? apr_thread_mutex_create(&memory.mutex, APR_THREAD_MUTEX_DEFAULT, pool)
                        : APR_EGENERAL;
}

/* Remembering --------------------------------------------------------------------------------- */

static bool make_mac(apr_pool_t *pool, const char *user, const char *password, unsigned char *out)
{
    char *text = apr_pstrcat(pool, user, "\n", password, NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(memory.keyed);
    size_t length = strlen(text), written;
    bool made;

    for (char *p = text; *p != '\n'; p++) {
        *p = apr_tolower(*p);
    }
    made = mac && EVP_MAC_update(mac, (unsigned char *)text, length)
           && EVP_MAC_final(mac, out, &written, MAC_BYTES);
    EVP_MAC_CTX_free(mac);
    OPENSSL_cleanse(text, length);
    return made;
}

static entry_t *set_of(const unsigned char *mac)
{
    return memory.entries[(mac[0] | mac[1] << 8) % SETS];
}

static entry_t *find(const unsigned char *mac)
{
    entry_t *set = set_of(mac);

    for (int i = 0; i < WAYS; i++) {
        if (set[i].hash[0] && CRYPTO_memcmp(set[i].mac, mac, MAC_BYTES) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

/* The hash that these credentials were verified against, or NULL. */
static const char *recall(apr_pool_t *pool, const unsigned char *mac)
{
    const char *hash = NULL;
    entry_t *entry;

    apr_thread_mutex_lock(memory.mutex);
    entry = find(mac);
    if (entry && entry->expires > apr_time_now()) {
        hash = apr_pstrdup(pool, entry->hash);
    }
    apr_thread_mutex_unlock(memory.mutex);
    return hash;
}

/* Takes the place of the same credentials, else of the one that expires first. */
static void remember(const unsigned char *mac, const char *hash, int seconds)
{
    entry_t *set = set_of(mac), *entry;

    if (strlen(hash) >= MAX_HASH || seconds == 0) {
        return;
    }
    apr_thread_mutex_lock(memory.mutex);
    entry = find(mac);
    for (int i = 0; !entry && i < WAYS; i++) {
        entry = set[i].hash[0] ? NULL : &set[i];
    }
    if (!entry) {
        entry = set;
        for (int i = 1; i < WAYS; i++) {
            entry = set[i].expires < entry->expires ? &set[i] : entry;
        }
    }
    memcpy(entry->mac, mac, MAC_BYTES);
    apr_cpystrn(entry->hash, hash, MAX_HASH);
    entry->expires = apr_time_now() + apr_time_from_sec(seconds);
    apr_thread_mutex_unlock(memory.mutex);
}

static void forget(const unsigned char *mac)
{
    entry_t *entry;

    apr_thread_mutex_lock(memory.mutex);
    entry = find(mac);
    if (entry) {
        entry->hash[0] = '\0';
    }
    apr_thread_mutex_unlock(memory.mutex);
}

/* Verifying ----------------------------------------------------------------------------------- */

/* Compares with the stored hash; for nobody, with one that cannot match: it takes as long. */
static bool verify(const char *password, const char *hash)
{
    bool usable = hash && *hash;
    bool right = apr_password_validate(password, usable ? hash : dummy_hash) == APR_SUCCESS;

    return usable && right;
}

static authn_status refuse_for(request_rec *r, iimg_error_t *err)
{
    /* httpd makes 500 of it; the error path answers what it really is. */
    iimg_pending_error_set(r, err);
    return AUTH_GENERAL_ERROR;
}

/* Credentials that are not remembered: look the hash up, give the connection back, then verify. */
static authn_status verify_anew(request_rec *r, const char *user, const char *password,
                                const unsigned char *mac, bool ours)
{
    iimg_context_t *context = iimg_context_of(r);
    apr_time_t began;
    const char *hash;
    bool active, right;
    iimg_error_t *err = iimg_user_password_by_email(context, user, &hash, &active);

    if (err) {
        return refuse_for(r, err);
    }
    began = iimg_step_begin(context);
    right = verify(password, hash);
    iimg_step_end(context, began, "hash", NULL);
    if (!right) {
        return AUTH_DENIED;
    }
    if (active) {
        remember(mac, hash, iimg_config_of(r->server)->basic_cache);
    }
    /* Our own handler says "User inactive or deleted." itself. */
    return active || ours ? AUTH_GRANTED : AUTH_DENIED;
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
        return false;       /* another module asks, for a form */
    }
    header += 6;
    header += strspn(header, " \t");
    decoded = apr_palloc(r->pool, (apr_size_t)apr_base64_decode_len(header) + 1);
    length = apr_base64_decode(decoded, header);
    return memchr(decoded, '\0', (size_t)length) != NULL;
}

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    bool ours = iimg_location_of(r)->use == IIMG_LOCATION_API;
    unsigned char mac[MAC_BYTES];
    const char *hash;

    if (strlen(password) > MAX_PASSWORD || strlen(user) > 254 || hides_nul(r)
        || !iimg_text_is_utf8(user, strlen(user))) {
        return AUTH_DENIED;
    }
    if (!make_mac(r->pool, user, password, mac)) {
        return AUTH_GENERAL_ERROR;
    }
    hash = recall(r->pool, mac);
    if (!hash) {
        return verify_anew(r, user, password, mac, ours);
    }
    if (ours) {
        iimg_context_of(r)->login_hash = hash;
        return AUTH_GRANTED;
    }
    return recheck(r, user, password, mac, hash);
}

bool iimg_authn_renew(request_rec *r)
{
    iimg_context_t *context = iimg_context_of(r);
    const char *password;
    unsigned char mac[MAC_BYTES];

    if (!context->login_hash || !r->user
        || ap_get_basic_auth_components(r, NULL, &password) != APR_SUCCESS) {
        return false;
    }
    if (!make_mac(r->pool, r->user, password, mac)) {
        return false;
    }
    forget(mac);
    context->login_hash = NULL;
    return verify_anew(r, r->user, password, mac, true) == AUTH_GRANTED;
}

static const authn_provider provider = { &check_password, NULL };

void iimg_authn_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "identityimg", AUTHN_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}
