/* password.c - password hashes: bcrypt, and Django's PBKDF2 until its next successful login. */
#include "services/accounts/password.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "services/accounts/password_queue.h"

#define COST          10 /* 2^10 rounds: some 50 ms */
#define SALT_BYTES    16
#define BCRYPT_LENGTH 60
#define BCRYPT_READS  72 /* bytes of a password */

#define DJANGO                "pbkdf2_sha256$"
#define DJANGO_MAX_ITERATIONS 10000000 /* some seconds; Django 5 uses 870,000 */
#define DJANGO_MAX_SALT       128
#define DIGEST_BYTES          32
#define DIGEST_TEXT           44 /* of 32 bytes as base64 */

/* bcrypt of random bytes, compared in place of the hash of an account that does not exist. */
static const char dummy_hash[] = "$2y$10$AuEVJwAySJbBTGB/wo/rH.Lq3YexchTe9CuSNKSJ71p50qkHTk0m6";

iimg_error_t *iimg_password_hash(iimg_context_t *context, const char *password, const char **hash)
{
    unsigned char salt[SALT_BYTES];
    char *text = apr_palloc(context->pool, BCRYPT_LENGTH + 1);
    iimg_password_place_t *place;
    iimg_error_t *err = iimg_password_enter(context, "", &place);
    bool made;

    if (err) {
        return err;
    }
    made = getrandom(salt, sizeof(salt), 0) == sizeof(salt)
           && apr_bcrypt_encode(password, COST, salt, sizeof(salt), text, BCRYPT_LENGTH + 1)
                  == APR_SUCCESS;
    iimg_password_leave(place);
    if (!made) {
        return iimg_error_internal(context->pool, "bcrypt: cannot hash a password");
    }
    *hash = text;
    return NULL;
}

/* Django's ------------------------------------------------------------------------------------ */

typedef struct django_t {
    int iterations;
    const char *salt;
    size_t salt_length;
    unsigned char digest[DIGEST_BYTES + 1]; /* OpenSSL writes multiples of three */
} django_t;

/* "pbkdf2_sha256$iterations$salt$base64" */
static bool read_django(const char *hash, django_t *django)
{
    const char *p = hash + strlen(DJANGO);
    char *end;
    long iterations = *p >= '1' && *p <= '9' ? strtol(p, &end, 10) : 0;

    if (iterations < 1 || iterations > DJANGO_MAX_ITERATIONS || *end != '$') {
        return false;
    }
    django->iterations = (int)iterations;
    django->salt = end + 1;
    django->salt_length = strcspn(django->salt, "$");
    p = django->salt + django->salt_length;
    return django->salt_length >= 1 && django->salt_length <= DJANGO_MAX_SALT
           && strlen(p) == 1 + DIGEST_TEXT && p[DIGEST_TEXT] == '=' && p[DIGEST_TEXT - 1] != '='
           && EVP_DecodeBlock(django->digest, (const unsigned char *)p + 1, DIGEST_TEXT)
                  == DIGEST_BYTES + 1;
}

static bool verify_django(const char *password, const django_t *django)
{
    unsigned char digest[DIGEST_BYTES];

    return PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)django->salt,
                             (int)django->salt_length, django->iterations, EVP_sha256(),
                             sizeof(digest), digest)
           && CRYPTO_memcmp(digest, django->digest, sizeof(digest)) == 0;
}

static bool is_django(const char *hash)
{
    return strncmp(hash, DJANGO, strlen(DJANGO)) == 0;
}

/* All hashes ---------------------------------------------------------------------------------- */

static bool verify_dummy(const char *password)
{
    apr_password_validate(password, dummy_hash);
    return false;
}

/* Hashes of crypt(3), except DES, start with "$method$"; those of htpasswd may start with
 * "{method}". Anything else may be a cleartext password, which apr_password_validate accepts on
 * systems without crypt(3). */
static bool names_method(const char *hash)
{
    return hash[0] == '{' || (hash[0] == '$' && strchr(hash + 1, '$'));
}

bool iimg_password_verify(const char *password, const char *hash)
{
    django_t django;

    if (!hash || strlen(password) > IIMG_PASSWORD_MAX) {
        return verify_dummy("");
    }
    if (is_django(hash)) {
        return read_django(hash, &django) ? verify_django(password, &django)
                                          : verify_dummy(password);
    }
    if (!names_method(hash)) {
        return verify_dummy(password);
    }
    return apr_password_validate(password, hash) == APR_SUCCESS;
}

iimg_error_t *iimg_password_check(iimg_context_t *context, const char *client, const char *password,
                                  const char *hash, bool *right)
{
    iimg_password_place_t *place;
    iimg_error_t *err = iimg_password_enter(context, client, &place);

    *right = false;
    if (err) {
        return err;
    }
    *right = iimg_password_verify(password, hash);
    iimg_password_leave(place);
    return NULL;
}

bool iimg_password_is_outdated(const char *password, const char *hash)
{
    return is_django(hash) && strlen(password) <= BCRYPT_READS;
}
