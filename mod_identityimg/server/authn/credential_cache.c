/* credential_cache.c - verified credentials, cached in this child: set-associative, by MAC. */
#include "server/authn/credential_cache.h"

#include <string.h>
#include <sys/random.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define SECRET_BYTES 32
#define SETS         1024 /* selected by the key's first bytes */
#define WAYS         4    /* entries of a set */
#define MAX_PROOF    160  /* Django's pbkdf2_sha256 has about 90 characters, bcrypt 60 */
#define MAX_LOGIN    256
#define LOCKS        64 /* credentials that are verified at once; more are not locked */
#define LOCK_TIMEOUT apr_time_from_sec(2)

typedef struct entry_t {
    unsigned char key[IIMG_CREDENTIAL_KEY_BYTES];
    char login[MAX_LOGIN];
    char proof[MAX_PROOF]; /* "" when free */
    apr_time_t expires;
} entry_t;

typedef struct lock_t {
    bool taken;
    unsigned char key[IIMG_CREDENTIAL_KEY_BYTES];
} lock_t;

/* Made in child_init; the mutex guards the rest. */
static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *released;
    entry_t entries[SETS][WAYS];
    lock_t locks[LOCKS];
} cache;

static EVP_MAC_CTX *mac_template; /* made in child_init; copies of it compute MACs */

static bool create_mac(void)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    unsigned char secret[SECRET_BYTES];

    mac_template = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (mac_template
        && (getrandom(secret, sizeof(secret), 0) != sizeof(secret)
            || !EVP_MAC_init(mac_template, secret, sizeof(secret), params))) {
        EVP_MAC_CTX_free(mac_template);
        mac_template = NULL;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return mac_template != NULL;
}

bool iimg_credential_cache_key(const server_rec *server, const char *kind, const void *text,
                               size_t length, unsigned char *key)
{
    EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(mac_template);
    size_t written;
    bool made = mac && EVP_MAC_update(mac, (const unsigned char *)&server, sizeof(server))
                && EVP_MAC_update(mac, (const unsigned char *)kind, strlen(kind) + 1)
                && EVP_MAC_update(mac, text, length)
                && EVP_MAC_final(mac, key, &written, IIMG_CREDENTIAL_KEY_BYTES);

    EVP_MAC_CTX_free(mac);
    return made;
}

apr_status_t iimg_credential_cache_start(apr_pool_t *pool)
{
    apr_status_t rv = apr_thread_mutex_create(&cache.mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (!create_mac()) {
        return APR_EGENERAL;
    }
    return rv == APR_SUCCESS ? apr_thread_cond_create(&cache.released, pool) : rv;
}

static bool is_same_key(const unsigned char *one, const unsigned char *other)
{
    return CRYPTO_memcmp(one, other, IIMG_CREDENTIAL_KEY_BYTES) == 0;
}

/* Entries ------------------------------------------------------------------------------------- */

static entry_t *set_of(const unsigned char *key)
{
    return cache.entries[(key[0] | key[1] << 8) % SETS];
}

static entry_t *find_entry(const unsigned char *key)
{
    entry_t *set = set_of(key);

    for (int i = 0; i < WAYS; i++) {
        if (set[i].proof[0] && is_same_key(set[i].key, key)) {
            return &set[i];
        }
    }
    return NULL;
}

/* The entry of this key, else a free one, else the one that expires first. */
static entry_t *choose_entry(const unsigned char *key)
{
    entry_t *set = set_of(key), *entry = find_entry(key);

    for (int i = 0; !entry && i < WAYS; i++) {
        entry = set[i].proof[0] ? NULL : &set[i];
    }
    if (!entry) {
        entry = set;
        for (int i = 1; i < WAYS; i++) {
            entry = set[i].expires < entry->expires ? &set[i] : entry;
        }
    }
    return entry;
}

bool iimg_credential_cache_get(apr_pool_t *pool, const unsigned char *key,
                               iimg_credentials_t *credentials)
{
    entry_t *entry;
    bool known;

    apr_thread_mutex_lock(cache.mutex);
    entry = find_entry(key);
    known = entry && entry->expires > apr_time_now();
    if (known) {
        credentials->login = apr_pstrdup(pool, entry->login);
        credentials->proof = apr_pstrdup(pool, entry->proof);
    }
    apr_thread_mutex_unlock(cache.mutex);
    return known;
}

void iimg_credential_cache_put(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds)
{
    entry_t *entry;

    if (seconds == 0 || strlen(credentials->proof) >= MAX_PROOF
        || strlen(credentials->login) >= MAX_LOGIN) {
        return;
    }
    apr_thread_mutex_lock(cache.mutex);
    entry = choose_entry(key);
    memcpy(entry->key, key, IIMG_CREDENTIAL_KEY_BYTES);
    apr_cpystrn(entry->login, credentials->login, MAX_LOGIN);
    apr_cpystrn(entry->proof, credentials->proof, MAX_PROOF);
    entry->expires = apr_time_now() + apr_time_from_sec(seconds);
    apr_thread_mutex_unlock(cache.mutex);
}

bool iimg_credential_cache_remove(const unsigned char *key)
{
    entry_t *entry;

    apr_thread_mutex_lock(cache.mutex);
    entry = find_entry(key);
    if (entry) {
        entry->proof[0] = '\0';
    }
    apr_thread_mutex_unlock(cache.mutex);
    return entry != NULL;
}

/* Locks --------------------------------------------------------------------------------------- */

static lock_t *find_lock(const unsigned char *key)
{
    for (int i = 0; i < LOCKS; i++) {
        if (cache.locks[i].taken && is_same_key(cache.locks[i].key, key)) {
            return &cache.locks[i];
        }
    }
    return NULL;
}

static void take_lock(const unsigned char *key)
{
    for (int i = 0; i < LOCKS; i++) {
        if (!cache.locks[i].taken) {
            cache.locks[i].taken = true;
            memcpy(cache.locks[i].key, key, IIMG_CREDENTIAL_KEY_BYTES);
            return;
        }
    }
}

bool iimg_credential_cache_lock(const unsigned char *key)
{
    apr_time_t deadline = apr_time_now() + LOCK_TIMEOUT, now;
    bool is_free;

    apr_thread_mutex_lock(cache.mutex);
    while (find_lock(key) && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(cache.released, cache.mutex, deadline - now);
    }
    is_free = !find_lock(key);
    if (is_free) {
        take_lock(key);
    }
    apr_thread_mutex_unlock(cache.mutex);
    return is_free;
}

void iimg_credential_cache_unlock(const unsigned char *key)
{
    lock_t *lock;

    apr_thread_mutex_lock(cache.mutex);
    lock = find_lock(key);
    if (lock) {
        lock->taken = false;
        apr_thread_cond_broadcast(cache.released);
    }
    apr_thread_mutex_unlock(cache.mutex);
}
