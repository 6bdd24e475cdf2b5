/* media_url.h - signed, expiring URLs of pictures, for httpd or the store. */
#ifndef IIMG_SERVICES_MEDIA_URL_H
#define IIMG_SERVICES_MEDIA_URL_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>
#include <openssl/evp.h>
#include "base/context.h"
#include "base/error.h"

/*
 * For one response:
 *
 *     err = iimg_media_sign(context, now, &signer);
 *     url = iimg_media_url(signer, key, NULL);
 *
 * and, when httpd serves a picture, iimg_media_verify.
 */

/** Most keys in a secret file. The first one signs; all verify. */
#define IIMG_MEDIA_MAX_KEYS 2

/** Keys and lifetime of URLs; read-only after start. */
typedef struct iimg_media_t iimg_media_t;

/**
 * Read the keys: one "<id> <hex>" a line, id [a-z0-9]{1,8}, 32 bytes (64 digits) or more. Lines
 * that start with '#' are comments.
 * @param text    the contents of the secret file
 * @param path    below which httpd serves pictures, "/pictures", without a slash at its end
 * @param expiry  lifetime of URLs in seconds; they are valid for three quarters of it at least
 * @param problem why the text is invalid, to follow the file's name
 * @return NULL if the text is invalid
 */
iimg_media_t *iimg_media_create(apr_pool_t *pool, const char *text, const char *path, int expiry,
                                const char **problem);

/** @return the number of a time's window: URLs of a window expire at the same time */
apr_int64_t iimg_media_window(const iimg_media_t *media, apr_time_t now);

/** @return a number that changes with the window, and when URLs become invalid before its end; for
 * ETags */
apr_int64_t iimg_media_epoch(iimg_context_t *context, apr_time_t now);

/**
 * Start an HMAC-SHA-256 with the first key for another purpose, whose name is hashed first.
 * @return a context that the caller updates, finishes and frees; NULL if OpenSSL fails
 */
EVP_MAC_CTX *iimg_media_keyed(const iimg_media_t *media, const char *purpose);

/** Makes the URLs of one response. Belongs to one thread. */
typedef struct iimg_media_signer_t iimg_media_signer_t;

/**
 * Create a signer for URLs that httpd serves.
 * @param base_url "https://host[:port]"
 */
iimg_media_signer_t *iimg_media_signer_create(apr_pool_t *pool, const iimg_media_t *media,
                                              const char *base_url, apr_time_t now);

/**
 * Create the signer for a response: that of the store, or ours if httpd serves pictures.
 * Errors: IIMG_UNAVAILABLE (the store's credentials have expired).
 */
iimg_error_t *iimg_media_sign(iimg_context_t *context, apr_time_t now,
                              iimg_media_signer_t **signer);

/**
 * Make the URL of an object. For httpd: <base><path>/<key>?v=1&k=<id>&e=<unix time>&s=<MAC>. The
 * MAC is the first 16 bytes of HMAC-SHA-256 (RFC 2104) over version, key id, expiry, file name and
 * key.
 * @param download file name for Content-Disposition: attachment; NULL: to show
 * @return NULL if OpenSSL fails
 */
const char *iimg_media_url(iimg_media_signer_t *signer, const char *key, const char *download);

/** Most bytes of a cached text. */
#define IIMG_MEDIA_KEPT 8192

/**
 * Find a cached text with a picture's URLs. It was made in this process with the same base URL, key
 * and window, and the same credentials of the store.
 * @param key  of the picture
 * @param what else the text depends on
 * @param to   room for IIMG_MEDIA_KEPT bytes
 * @return the text's length; 0 if there is none
 */
apr_size_t iimg_media_recall(const iimg_media_signer_t *signer, const char *key, const char *what,
                             char *to);

/** Cache a text, unless it is longer than IIMG_MEDIA_KEPT. */
void iimg_media_keep(const iimg_media_signer_t *signer, const char *key, const char *what,
                     const char *text, apr_size_t length);

typedef enum {
    IIMG_MEDIA_GOOD,
    IIMG_MEDIA_BAD, /* an invalid key, or a missing or wrong signature */
    IIMG_MEDIA_EXPIRED
} iimg_media_verdict_t;

/**
 * Check a URL's signature, without access to disk or database.
 * @param key      the rest of the URL's path
 * @param query    the query string or NULL
 * @param download the signed file name, or NULL
 * @param expires  in seconds since 1970
 */
iimg_media_verdict_t iimg_media_verify(apr_pool_t *pool, const iimg_media_t *media, const char *key,
                                       const char *query, apr_time_t now, const char **download,
                                       apr_int64_t *expires);

/** @return the path below which httpd serves pictures */
const char *iimg_media_path(const iimg_media_t *media);

#endif
