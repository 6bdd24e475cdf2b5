/* token.c - the texts of tokens: random, opaque, and hashed before they are stored. */
#include "services/accounts/token.h"

#include <string.h>
#include <sys/random.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include "base/base64.h"

#define RANDOM_BYTES 32
#define HASH_PREFIX  "sha256:"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *iimg_token_create(apr_pool_t *pool)
{
    char bytes[RANDOM_BYTES], *text;

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        return NULL;
    }
    text = apr_pstrcat(pool, IIMG_TOKEN_PREFIX,
                       iimg_base64_encode(pool, bytes, sizeof(bytes), NULL), NULL);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    text[IIMG_TOKEN_LENGTH] = '\0'; /* its padding */
    for (char *p = text; *p; p++) {
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    }
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
    static const char digits[] = "0123456789abcdef";
    size_t prefix = strlen(HASH_PREFIX);
    char *text = apr_palloc(pool, prefix + 2 * IIMG_TOKEN_DIGEST_BYTES + 1), *p = text + prefix;

    memcpy(text, HASH_PREFIX, prefix);
    for (int i = 0; i < IIMG_TOKEN_DIGEST_BYTES; i++) {
        *p++ = digits[digest[i] >> 4];
        *p++ = digits[digest[i] & 15];
    }
    *p = '\0';
    return text;
}
