/* token.c - session and bearer tokens: random, and stored only as hashes. */
#include "services/accounts/token.h"

#include <string.h>
#include <sys/random.h>
#include <apr_encode.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#define RANDOM_BYTES 32
#define HASH_PREFIX  "sha256:"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *iimg_token_create(apr_pool_t *pool)
{
    unsigned char bytes[RANDOM_BYTES];
    const char *text;

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        return NULL;
    }
    text = apr_pstrcat(
        pool, IIMG_TOKEN_PREFIX,
        apr_pencode_base64_binary(pool, bytes, sizeof(bytes), APR_ENCODE_BASE64URL, NULL), NULL);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return text;
}

bool iimg_token_has_form(const char *text, apr_size_t length)
{
    size_t prefix = strlen(IIMG_TOKEN_PREFIX);

    return length == IIMG_TOKEN_LENGTH && strncmp(text, IIMG_TOKEN_PREFIX, prefix) == 0
           && strspn(text + prefix, alphabet) >= length - prefix;
}

void iimg_token_digest(const char *token, unsigned char digest[IIMG_TOKEN_DIGEST_BYTES])
{
    SHA256((const unsigned char *)token, IIMG_TOKEN_LENGTH, digest);
}

const char *iimg_token_hash(apr_pool_t *pool, const unsigned char digest[IIMG_TOKEN_DIGEST_BYTES])
{
    return apr_pstrcat(pool, HASH_PREFIX, apr_pescape_hex(pool, digest, IIMG_TOKEN_DIGEST_BYTES, 0),
                       NULL);
}
