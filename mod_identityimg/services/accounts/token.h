/* token.h - session and bearer tokens: random, and stored only as hashes. */
#ifndef IIMG_SERVICES_ACCOUNTS_TOKEN_H
#define IIMG_SERVICES_ACCOUNTS_TOKEN_H

#include <stdbool.h>
#include <apr_pools.h>

#define IIMG_TOKEN_PREFIX       "iimg_"
#define IIMG_TOKEN_LENGTH       (5 + 43) /* the prefix, and 32 bytes as base64url */
#define IIMG_TOKEN_DIGEST_BYTES 32       /* SHA-256 */

/** Make a token of 32 random bytes. @return NULL if getrandom(2) fails */
const char *iimg_token_create(apr_pool_t *pool);

/** Whether the first `length` bytes have the format of a token. */
bool iimg_token_has_form(const char *text, apr_size_t length);

/** Compute the SHA-256 of a text that has the format of a token. */
void iimg_token_digest(const char *token, unsigned char digest[IIMG_TOKEN_DIGEST_BYTES]);

/** @return the stored form of a token: "sha256:" and the digest in hexadecimal */
const char *iimg_token_hash(apr_pool_t *pool, const unsigned char digest[IIMG_TOKEN_DIGEST_BYTES]);

#endif
