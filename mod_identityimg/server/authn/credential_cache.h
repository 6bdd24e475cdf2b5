/* credential_cache.h - verified credentials, cached in this child for up to a minute.
 *
 *     iimg_credential_cache_key(server, kind, text, length, key);
 *     if (!iimg_credential_cache_get(pool, key, &cached)
 *         && iimg_credential_cache_lock(key)) {
 *         ... verify, unless another thread has cached them meanwhile ...
 *         iimg_credential_cache_put(key, &verified, seconds);
 *         iimg_credential_cache_unlock(key);
 *     }
 */
#ifndef IIMG_SERVER_AUTHN_CREDENTIAL_CACHE_H
#define IIMG_SERVER_AUTHN_CREDENTIAL_CACHE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <httpd.h>

#define IIMG_CREDENTIAL_KEY_BYTES 32 /* a MAC of the credentials */

/** An entry proves nothing by itself: compare the proof with the database. */
typedef struct iimg_credentials_t {
    const char *login; /* an email */
    const char *proof; /* the stored hash, or the user's epoch */
} iimg_credentials_t;

/** Initialize, in a new child, while it has one thread. */
apr_status_t iimg_credential_cache_start(apr_pool_t *pool);

/**
 * The key of credentials. It depends on this child, the kind, and the server: virtual hosts may
 * have copies of one database, with equal epochs and hashes.
 * @param text may hold any bytes
 * @return false when OpenSSL fails
 */
bool iimg_credential_cache_key(const server_rec *server, const char *kind, const void *text,
                               size_t length, unsigned char *key);

/** @return false when they are not cached */
bool iimg_credential_cache_get(apr_pool_t *pool, const unsigned char *key,
                               iimg_credentials_t *credentials);

/** Cache for `seconds`; 0 or an entry that is too long caches nothing. */
void iimg_credential_cache_put(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds);

/** @return whether they were cached */
bool iimg_credential_cache_remove(const unsigned char *key);

/**
 * Let one thread at a time verify these credentials. Call iimg_credential_cache_get afterwards:
 * another thread may have cached them meanwhile.
 * @return false: timed out, nothing to unlock
 */
bool iimg_credential_cache_lock(const unsigned char *key);
void iimg_credential_cache_unlock(const unsigned char *key);

#endif
