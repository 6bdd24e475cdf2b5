/* media_url.h - signed, expiring URLs of pictures: ours, or the store's own. */
#ifndef IIMG_SERVICES_MEDIA_URL_H
#define IIMG_SERVICES_MEDIA_URL_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <openssl/evp.h>
#include "base/context.h"
#include "base/error.h"

/** Most keys that a secret file may hold: the first signs, all verify. */
#define IIMG_MEDIA_MAX_KEYS 2

/** How URLs are made; from the configuration, read-only after start. */
typedef struct iimg_media_t iimg_media_t;

/**
 * Read the secrets: one "<id> <hex>" a line, id [a-z0-9]{1,8}, at least 32 bytes (64 hex digits);
 * '#' begins a comment line. The first key signs.
 * @param text   the file's content
 * @param path   where media are served, "/pictures": begins with a slash, does not end with one
 * @param expiry seconds that a URL is good for: at least three quarters of it, at most all
 * @return NULL and *problem (a clause that follows the file's name) when the text is not as it must
 * be
 */
iimg_media_t *iimg_media_create(apr_pool_t *pool, const char *text, const char *path, int expiry,
                                const char **problem);

/** The number of the window that a time is in: URLs made within one expire alike. */
apr_int64_t iimg_media_window(const iimg_media_t *media, apr_time_t now);

/**
 * What the ETag of an answer with URLs must change with: the window, and what ends URLs
 * before it does.
 */
apr_int64_t iimg_media_epoch(iimg_context_t *context, apr_time_t now);

/**
 * HMAC-SHA-256 under the first key, for another purpose than URLs, whose name goes in first.
 * @return a context of the caller's own, to update and end; NULL when OpenSSL fails
 */
EVP_MAC_CTX *iimg_media_keyed(const iimg_media_t *media, const char *purpose);

/** Signs the URLs of one answer. Belongs to one thread. */
typedef struct iimg_media_signer_t iimg_media_signer_t;

/**
 * @param base_url "https://host[:port]", no slash at its end
 * @return a signer whose URLs expire alike
 */
iimg_media_signer_t *iimg_media_signer_create(apr_pool_t *pool, const iimg_media_t *media,
                                              const char *base_url, apr_time_t now);

/**
 * The signer for an answer: the configured store's own, or ours where httpd serves pictures.
 * Errors: IIMG_UNAVAILABLE (the store's credentials have ended).
 */
iimg_error_t *iimg_media_sign(iimg_context_t *context, apr_time_t now,
                              iimg_media_signer_t **signer);

/**
 * The URL of an object. Ours: <base><path>/<key>?v=1&k=<id>&e=<unix time>&s=<MAC>. The MAC is the
 * first 16 bytes of HMAC-SHA-256 (RFC 2104) over version, key id, expiry, file name and object key.
 * @param download file name for Content-Disposition: attachment; NULL for a URL to show
 * @return NULL when OpenSSL fails
 */
const char *iimg_media_url(iimg_media_signer_t *signer, const char *key, const char *download);

/** Most bytes of a text that is kept. */
#define IIMG_MEDIA_KEPT 8192

/**
 * A text of a picture's URLs that was made before in this process, by a signer whose URLs are the
 * same: of this server, base URL, key and window, and (at a store) credentials.
 * @param key  of the picture
 * @param what the text depends on besides
 * @param to   room for IIMG_MEDIA_KEPT bytes
 * @return the text's length; 0 when none is kept
 */
apr_size_t iimg_media_recall(const iimg_media_signer_t *signer, const char *key, const char *what,
                             char *to);

/** Keep a text for others to recall; one that is longer than they can take is not kept. */
void iimg_media_keep(const iimg_media_signer_t *signer, const char *key, const char *what,
                     const char *text, apr_size_t length);

typedef enum {
    IIMG_MEDIA_GOOD,
    IIMG_MEDIA_BAD, /* no key of ours, no signature, or a wrong one */
    IIMG_MEDIA_EXPIRED
} iimg_media_verdict_t;

/**
 * Check a URL's signature. Touches neither disk nor database.
 * @param key      what stands behind the path
 * @param query    the query string or NULL
 * @param download the signed file name, NULL when the URL has none
 * @param expires  when it ends, in seconds since 1970
 */
iimg_media_verdict_t iimg_media_verify(apr_pool_t *pool, const iimg_media_t *media, const char *key,
                                       const char *query, apr_time_t now, const char **download,
                                       apr_int64_t *expires);

/** The path that media are served below. */
const char *iimg_media_path(const iimg_media_t *media);

#endif
