/* password.h - password hashes: bcrypt, and Django's PBKDF2 until its next successful login. */
#ifndef IIMG_SERVICES_ACCOUNTS_PASSWORD_H
#define IIMG_SERVICES_ACCOUNTS_PASSWORD_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

/** Most bytes of a password that anybody is asked to hash. */
#define IIMG_PASSWORD_MAX 4096

/**
 * Hash a password with bcrypt ("$2y$", what apr_password_validate and htpasswd know). bcrypt looks
 * at the first 72 bytes. Takes tens of milliseconds of CPU and may have to wait for others: hold no
 * database connection meanwhile.
 * Errors: IIMG_LIMITED as iimg_password_enter, IIMG_INTERNAL.
 */
iimg_error_t *iimg_password_hash(iimg_context_t *context, const char *password, const char **hash);

/**
 * Whether a password is the one that was hashed. Takes long, also where there is no usable hash:
 * time does not tell who exists.
 * @param hash what crypt(3) or htpasswd made, or Django's "pbkdf2_sha256$iterations$salt$base64";
 *             NULL, "" and Django's "!..." let nobody in
 */
bool iimg_password_verify(const char *password, const char *hash);

/** The same, waiting for a place to hash in. Errors: IIMG_LIMITED as iimg_password_enter. */
iimg_error_t *iimg_password_check(iimg_context_t *context, const char *who, const char *password,
                                  const char *hash, bool *right);

/**
 * Whether a hash should be replaced by one of iimg_password_hash, now that the password is known:
 * Django's are, unless the password is longer than bcrypt looks.
 */
bool iimg_password_is_outdated(const char *password, const char *hash);

#endif
