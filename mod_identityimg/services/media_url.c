/* media_url.c - signed, expiring URLs of pictures, for httpd or the store. */
#include "services/media_url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <apr_encode.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "base/memo.h"
#include "services/pictures/key.h"
#include "services/services.h"

#define MIN_SECRET 32
#define MAC_BYTES  16
#define MAC_TEXT   22 /* base64url of 16 bytes without padding */

typedef struct secret_t {
    const char *id;
    EVP_MAC_CTX *keyed; /* copied for each use, never changed */
} secret_t;

struct iimg_media_t {
    secret_t secrets[IIMG_MEDIA_MAX_KEYS];
    int count;
    const char *path;
    int expiry;
};

struct iimg_media_signer_t {
    apr_pool_t *pool;
    const char *prefix;  /* base URL and path */
    const char *expires; /* text */
    const secret_t *secret;
    EVP_MAC_CTX *mac;            /* NULL until the first URL */
    iimg_storage_signer_t store; /* url NULL: httpd serves */
    iimg_memo_t *memo;           /* the cache; NULL: none */
    const char *scope;           /* differs between signers with different URLs, within a server */
};

static apr_status_t free_mac(void *data)
{
    EVP_MAC_CTX_free(data);
    return APR_SUCCESS;
}

static EVP_MAC_CTX *bind_mac(apr_pool_t *pool, EVP_MAC_CTX *mac)
{
    if (mac) {
        apr_pool_cleanup_register(pool, mac, free_mac, apr_pool_cleanup_null);
    }
    return mac;
}

/* Secrets ------------------------------------------------------------------------------------- */

static EVP_MAC_CTX *create_mac(apr_pool_t *pool, const unsigned char *secret, size_t length)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? bind_mac(pool, EVP_MAC_CTX_new(hmac)) : NULL;

    EVP_MAC_free(hmac);
    return mac && EVP_MAC_init(mac, secret, length, params) ? mac : NULL;
}

static const char *read_secret(apr_pool_t *pool, char *line, secret_t *secret)
{
    size_t id = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789");
    unsigned char bytes[256];
    apr_size_t length = 0;
    char *hex = line + id + strspn(line + id, " \t");
    size_t digits = strspn(hex, "0123456789abcdefABCDEF");

    if (id < 1 || id > 8 || hex == line + id || hex[digits] != '\0') {
        return "has a line that is not \"<id> <hex digits>\"";
    }
    if (digits < 2 * MIN_SECRET || digits > 2 * sizeof(bytes) || digits % 2
        || apr_unescape_hex(bytes, hex, (apr_ssize_t)digits, 0, &length) != APR_SUCCESS) {
        return "has a key that is not 32 to 256 bytes, in hexadecimal digits";
    }
    secret->id = apr_pstrmemdup(pool, line, id);
    secret->keyed = create_mac(pool, bytes, length);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return secret->keyed ? NULL : "cannot be used: OpenSSL has no HMAC-SHA-256";
}

static const char *read_secrets(apr_pool_t *pool, const char *text, iimg_media_t *media)
{
    char *state = NULL, *copy = apr_pstrdup(pool, text);
    const char *problem = NULL;

    for (char *line = apr_strtok(copy, "\r\n", &state); line && !problem;
         line = apr_strtok(NULL, "\r\n", &state)) {
        if (*line == '#') {
            continue;
        }
        if (media->count == IIMG_MEDIA_MAX_KEYS) {
            return "holds more than two keys";
        }
        problem = read_secret(pool, line, &media->secrets[media->count++]);
    }
    return problem ? problem : media->count ? NULL : "holds no key";
}

iimg_media_t *iimg_media_create(apr_pool_t *pool, const char *text, const char *path, int expiry,
                                const char **problem)
{
    iimg_media_t *media = apr_pcalloc(pool, sizeof(*media));

    media->path = path;
    media->expiry = expiry;
    *problem = read_secrets(pool, text, media);
    return *problem ? NULL : media;
}

const char *iimg_media_path(const iimg_media_t *media)
{
    return media->path;
}

/* The MAC ------------------------------------------------------------------------------------- */

#define MAX_CACHE_KEY 512 /* bytes: key 170, base URL and path, the rest small */
#define MAX_SIGNED    512 /* bytes: key 170, file name 120, the rest small */

/* Append a field with its NUL, which separates fields. @return NULL if there is no room */
static char *append_field(char *to, const char *end, const char *text)
{
    size_t n = strlen(text) + 1;

    return to && n <= (size_t)(end - to) ? (char *)memcpy(to, text, n) + n : NULL;
}

static bool compute_mac(EVP_MAC_CTX *mac, const char *id, const char *expires, const char *download,
                        const char *key, char *out)
{
    unsigned char sum[EVP_MAX_MD_SIZE] = { 0 };
    char text[MAX_SIGNED], *to = text, *end = text + sizeof(text);
    size_t length;

    to = append_field(to, end, "v1");
    to = append_field(to, end, id);
    to = append_field(to, end, expires);
    to = append_field(to, end, download ? download : "");
    to = append_field(to, end, key);
    if (!to || !EVP_MAC_init(mac, NULL, 0, NULL)
        || !EVP_MAC_update(mac, (unsigned char *)text, (size_t)(to - text))
        || !EVP_MAC_final(mac, sum, &length, sizeof(sum))) {
        return false;
    }
    return apr_encode_base64_binary(out, sum, MAC_BYTES, APR_ENCODE_BASE64URL, NULL) == APR_SUCCESS;
}

EVP_MAC_CTX *iimg_media_keyed(const iimg_media_t *media, const char *purpose)
{
    EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(media->secrets[0].keyed);

    if (mac
        && (!EVP_MAC_init(mac, NULL, 0, NULL)
            || !EVP_MAC_update(mac, (const unsigned char *)purpose, strlen(purpose) + 1))) {
        EVP_MAC_CTX_free(mac);
        mac = NULL;
    }
    return mac;
}

/* URLs ---------------------------------------------------------------------------------------- */

/* Times are rounded down to a quarter of the lifetime. Within that window a picture's URL stays the
 * same, so browsers can cache the picture. */
static apr_int64_t window_length(const iimg_media_t *media)
{
    return media->expiry / 4;
}

apr_int64_t iimg_media_window(const iimg_media_t *media, apr_time_t now)
{
    return apr_time_sec(now) / window_length(media);
}

apr_int64_t iimg_media_epoch(iimg_context_t *context, apr_time_t now)
{
    const iimg_storage_t *storage = &context->services->storage;
    apr_int64_t window = iimg_media_window(context->services->media, now);

    return storage->driver->epoch ? window ^ storage->driver->epoch(context, storage) << 31
                                  : window;
}

iimg_media_signer_t *iimg_media_signer_create(apr_pool_t *pool, const iimg_media_t *media,
                                              const char *base_url, apr_time_t now)
{
    iimg_media_signer_t *signer = apr_pcalloc(pool, sizeof(*signer));
    apr_int64_t floored = iimg_media_window(media, now) * window_length(media);

    signer->pool = pool;
    signer->prefix = apr_pstrcat(pool, base_url, media->path, "/", NULL);
    signer->expires = apr_psprintf(pool, "%" APR_INT64_T_FMT, floored + media->expiry);
    signer->secret = &media->secrets[0];
    return signer;
}

/* The store's URLs use the same window as ours, so ETags work for both. */
static iimg_error_t *sign_at_store(iimg_context_t *context, apr_time_t now,
                                   iimg_media_signer_t **made)
{
    const iimg_services_t *services = context->services;
    apr_int64_t since = iimg_media_window(services->media, now) * window_length(services->media);
    iimg_media_signer_t *signer = apr_pcalloc(context->pool, sizeof(*signer));

    *made = signer;
    /* Read the epoch before the credentials: if these change in between, URLs of new credentials
     * are cached under the old epoch and never found again. */
    signer->memo = services->urls;
    signer->scope = apr_psprintf(context->pool, "%" APR_INT64_T_FMT,
                                 iimg_media_epoch(context, now));
    return services->storage.driver->sign(context, &services->storage, apr_time_from_sec(since),
                                          services->media->expiry, &signer->store);
}

iimg_error_t *iimg_media_sign(iimg_context_t *context, apr_time_t now, iimg_media_signer_t **signer)
{
    if (context->services->storage.driver->sign) {
        return sign_at_store(context, now, signer);
    }
    *signer = iimg_media_signer_create(context->pool, context->services->media, context->base_url,
                                       now);
    (*signer)->memo = context->services->urls;
    (*signer)->scope = apr_pstrcat(context->pool, (*signer)->expires, (*signer)->prefix, NULL);
    return NULL;
}

const char *iimg_media_url(iimg_media_signer_t *signer, const char *key, const char *download)
{
    char mac[MAC_TEXT + 1];

    if (signer->store.url) {
        return signer->store.url(signer->store.baton, key, download);
    }
    if (!signer->mac) {
        signer->mac = bind_mac(signer->pool, EVP_MAC_CTX_dup(signer->secret->keyed));
    }
    if (!signer->mac
        || !compute_mac(signer->mac, signer->secret->id, signer->expires, download, key, mac)) {
        return NULL;
    }
    return apr_pstrcat(signer->pool, signer->prefix, key, "?v=1&k=", signer->secret->id,
                       "&e=", signer->expires, "&s=", mac, download ? "&d=" : NULL,
                       download ? apr_pescape_urlencoded(signer->pool, download) : NULL, NULL);
}

/* The cache ----------------------------------------------------------------------------------- */

/* @return the length of the cache key; 0: there is no cache */
static apr_size_t make_cache_key(const iimg_media_signer_t *signer, const char *key,
                                 const char *what, char *name, apr_size_t room)
{
    char *to = name, *end = name + room;

    if (!signer->memo) {
        return 0;
    }
    to = append_field(to, end, key);
    to = append_field(to, end, what);
    to = append_field(to, end, signer->scope);
    return to ? (apr_size_t)(to - name) : 0;
}

apr_size_t iimg_media_recall(const iimg_media_signer_t *signer, const char *key, const char *what,
                             char *to)
{
    char name[MAX_CACHE_KEY];
    apr_size_t length = make_cache_key(signer, key, what, name, sizeof(name));

    return length ? iimg_memo_recall(signer->memo, name, length, to, IIMG_MEDIA_KEPT) : 0;
}

void iimg_media_keep(const iimg_media_signer_t *signer, const char *key, const char *what,
                     const char *text, apr_size_t length)
{
    char name[MAX_CACHE_KEY];
    apr_size_t named = make_cache_key(signer, key, what, name, sizeof(name));

    if (named && length <= IIMG_MEDIA_KEPT) {
        iimg_memo_keep(signer->memo, name, named, text, length);
    }
}

/* Checking ------------------------------------------------------------------------------------ */

typedef struct signature_t {
    const char *version, *id, *expires, *mac, *download;
} signature_t;

static bool read_signature(apr_pool_t *pool, const char *query, signature_t *signature)
{
    struct {
        char name;
        const char **value;
    } slots[] = {
        { 'v', &signature->version }, { 'k', &signature->id },       { 'e', &signature->expires },
        { 's', &signature->mac },     { 'd', &signature->download },
    };
    char *state = NULL, *copy = apr_pstrdup(pool, query ? query : "");

    memset(signature, 0, sizeof(*signature));
    for (char *pair = apr_strtok(copy, "&", &state); pair; pair = apr_strtok(NULL, "&", &state)) {
        for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
            if (pair[0] == slots[i].name && pair[1] == '=') {
                *slots[i].value = pair + 2;
            }
        }
    }
    if (signature->download) {
        signature->download = apr_punescape_url(pool, signature->download, NULL, NULL, 1);
        if (!signature->download || !*signature->download) {
            return false; /* an empty name would have the same MAC as none */
        }
    }
    return signature->version && signature->id && signature->expires && signature->mac
           && strcmp(signature->version, "1") == 0 && strlen(signature->mac) == MAC_TEXT
           && strlen(signature->expires) <= 12
           && strspn(signature->expires, "0123456789") == strlen(signature->expires);
}

static bool is_signed_by(apr_pool_t *pool, const secret_t *secret, const signature_t *signature,
                         const char *key)
{
    EVP_MAC_CTX *mac = bind_mac(pool, EVP_MAC_CTX_dup(secret->keyed));
    char right[MAC_TEXT + 1];

    return mac && compute_mac(mac, secret->id, signature->expires, signature->download, key, right)
           && CRYPTO_memcmp(right, signature->mac, MAC_TEXT) == 0;
}

iimg_media_verdict_t iimg_media_verify(apr_pool_t *pool, const iimg_media_t *media, const char *key,
                                       const char *query, apr_time_t now, const char **download,
                                       apr_int64_t *expires)
{
    signature_t signature;

    *download = NULL;
    *expires = 0;
    if (!iimg_key_is_valid(key) || !read_signature(pool, query, &signature)) {
        return IIMG_MEDIA_BAD;
    }
    for (int i = 0; i < media->count; i++) {
        if (strcmp(media->secrets[i].id, signature.id) == 0
            && is_signed_by(pool, &media->secrets[i], &signature, key)) {
            *download = signature.download;
            *expires = apr_atoi64(signature.expires);
            return *expires > apr_time_sec(now) ? IIMG_MEDIA_GOOD : IIMG_MEDIA_EXPIRED;
        }
    }
    return IIMG_MEDIA_BAD;
}
