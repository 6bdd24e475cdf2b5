/* credential_cache.c - a child's memory of credentials that were verified a moment ago. */
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
#define SETS         1024 /* places are found by the key's first bytes */
#define WAYS         4    /* credentials that may share a place */
#define MAX_PROOF    160  /* Django's pbkdf2_sha256 has about 90 characters, bcrypt 60 */
#define MAX_LOGIN    256
#define CLAIMS       64 /* credentials that are verified at once; more do not wait for others */
#define CLAIM_WAIT   apr_time_from_sec(2)

typedef struct entry_t {
    unsigned char key[IIMG_CREDENTIALS_KEY];
    char login[MAX_LOGIN];
    char proof[MAX_PROOF]; /* "" when free */
    apr_time_t expires;
} entry_t;

typedef struct claim_t {
    bool taken;
    unsigned char key[IIMG_CREDENTIALS_KEY];
} claim_t;

/* Made in child_init, then guarded by its own mutex. */
static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *released;
    entry_t entries[SETS][WAYS];
    claim_t claims[CLAIMS];
} memory;

static EVP_MAC_CTX *keyed; /* made in child_init: a copy of it hashes; itself is only read */

static bool make_keyed(void)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    unsigned char secret[SECRET_BYTES];

    keyed = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (keyed
        && (getrandom(secret, sizeof(secret), 0) != sizeof(secret)
            || !EVP_MAC_init(keyed, secret, sizeof(secret), params))) {
        EVP_MAC_CTX_free(keyed);
        keyed = NULL;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return keyed != NULL;
}

bool iimg_credentials_key(const server_rec *server, const char *kind, const void *text,
                          size_t length, unsigned char *key)
{
    EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(keyed);
    size_t written;
    bool made = mac && EVP_MAC_update(mac, (const unsigned char *)&server, sizeof(server))
                && EVP_MAC_update(mac, (const unsigned char *)kind, strlen(kind) + 1)
                && EVP_MAC_update(mac, text, length)
                && EVP_MAC_final(mac, key, &written, IIMG_CREDENTIALS_KEY);

    EVP_MAC_CTX_free(mac);
    return made;
}

apr_status_t iimg_credentials_start(apr_pool_t *pool)
{
    apr_status_t rv = apr_thread_mutex_create(&memory.mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (!make_keyed()) {
        return APR_EGENERAL;
    }
    return rv == APR_SUCCESS ? apr_thread_cond_create(&memory.released, pool) : rv;
}

static bool same(const unsigned char *one, const unsigned char *other)
{
    return CRYPTO_memcmp(one, other, IIMG_CREDENTIALS_KEY) == 0;
}

/* Remembering --------------------------------------------------------------------------------- */

static entry_t *set_of(const unsigned char *key)
{
    return memory.entries[(key[0] | key[1] << 8) % SETS];
}

static entry_t *find(const unsigned char *key)
{
    entry_t *set = set_of(key);

    for (int i = 0; i < WAYS; i++) {
        if (set[i].proof[0] && same(set[i].key, key)) {
            return &set[i];
        }
    }
    return NULL;
}

/* Where these are, else a free place, else that of the ones that expire first. */
static entry_t *place_for(const unsigned char *key)
{
    entry_t *set = set_of(key), *entry = find(key);

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

bool iimg_credentials_recall(apr_pool_t *pool, const unsigned char *key,
                             iimg_credentials_t *credentials)
{
    entry_t *entry;
    bool known;

    apr_thread_mutex_lock(memory.mutex);
    entry = find(key);
    known = entry && entry->expires > apr_time_now();
    if (known) {
        credentials->login = apr_pstrdup(pool, entry->login);
        credentials->proof = apr_pstrdup(pool, entry->proof);
    }
    apr_thread_mutex_unlock(memory.mutex);
    return known;
}

void iimg_credentials_remember(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds)
{
    entry_t *entry;

    if (seconds == 0 || strlen(credentials->proof) >= MAX_PROOF
        || strlen(credentials->login) >= MAX_LOGIN) {
        return;
    }
    apr_thread_mutex_lock(memory.mutex);
    entry = place_for(key);
    memcpy(entry->key, key, IIMG_CREDENTIALS_KEY);
    apr_cpystrn(entry->login, credentials->login, MAX_LOGIN);
    apr_cpystrn(entry->proof, credentials->proof, MAX_PROOF);
    entry->expires = apr_time_now() + apr_time_from_sec(seconds);
    apr_thread_mutex_unlock(memory.mutex);
}

bool iimg_credentials_forget(const unsigned char *key)
{
    entry_t *entry;

    apr_thread_mutex_lock(memory.mutex);
    entry = find(key);
    if (entry) {
        entry->proof[0] = '\0';
    }
    apr_thread_mutex_unlock(memory.mutex);
    return entry != NULL;
}

/* Verifying once ------------------------------------------------------------------------------ */

static claim_t *claim_of(const unsigned char *key)
{
    for (int i = 0; i < CLAIMS; i++) {
        if (memory.claims[i].taken && same(memory.claims[i].key, key)) {
            return &memory.claims[i];
        }
    }
    return NULL;
}

static void take_claim(const unsigned char *key)
{
    for (int i = 0; i < CLAIMS; i++) {
        if (!memory.claims[i].taken) {
            memory.claims[i].taken = true;
            memcpy(memory.claims[i].key, key, IIMG_CREDENTIALS_KEY);
            return;
        }
    }
}

bool iimg_credentials_claim(const unsigned char *key)
{
    apr_time_t until = apr_time_now() + CLAIM_WAIT, now;
    bool free;

    apr_thread_mutex_lock(memory.mutex);
    while (claim_of(key) && (now = apr_time_now()) < until) {
        apr_thread_cond_timedwait(memory.released, memory.mutex, until - now);
    }
    free = !claim_of(key);
    if (free) {
        take_claim(key);
    }
    apr_thread_mutex_unlock(memory.mutex);
    return free;
}

void iimg_credentials_release(const unsigned char *key)
{
    claim_t *claim;

    apr_thread_mutex_lock(memory.mutex);
    claim = claim_of(key);
    if (claim) {
        claim->taken = false;
        apr_thread_cond_broadcast(memory.released);
    }
    apr_thread_mutex_unlock(memory.mutex);
}
