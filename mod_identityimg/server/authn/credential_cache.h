/* credential_cache.h - a child's memory of credentials that were verified a moment ago. */
#ifndef IIMG_SERVER_AUTHN_CREDENTIAL_CACHE_H
#define IIMG_SERVER_AUTHN_CREDENTIAL_CACHE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <httpd.h>

#define IIMG_CREDENTIALS_KEY 32 /* bytes: a MAC of the credentials */

/** What is remembered. It proves nothing by itself: the proof must still be what the table has. */
typedef struct iimg_credentials_t {
    const char *login; /* whose they are (an email) */
    const char *proof; /* what they were verified against */
} iimg_credentials_t;

/** Make the memory, in a new child, while it has one thread. */
apr_status_t iimg_credentials_start(apr_pool_t *pool);

/**
 * The key under which credentials are remembered: of this child, of this server (virtual hosts may
 * have databases of their own, with the same epochs and hashes if one is a copy of the other) and
 * of their kind.
 * @param text   credentials as text; may hold any bytes
 * @return false when OpenSSL cannot
 */
bool iimg_credentials_key(const server_rec *server, const char *kind, const void *text,
                          size_t length, unsigned char *key);

/** @return false when they are not remembered */
bool iimg_credentials_recall(apr_pool_t *pool, const unsigned char *key,
                             iimg_credentials_t *credentials);

/** Remember them for some seconds (0: not at all); what does not fit is not remembered. */
void iimg_credentials_remember(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds);

/** @return whether they were remembered */
bool iimg_credentials_forget(const unsigned char *key);

/**
 * Be the one thread that verifies these credentials: others wait here, and then may find them
 * remembered. End it by iimg_credentials_release.
 * @return false when that took too long: there is nothing to release
 */
bool iimg_credentials_claim(const unsigned char *key);
void iimg_credentials_release(const unsigned char *key);

#endif
