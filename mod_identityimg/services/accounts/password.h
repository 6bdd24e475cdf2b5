/* password.h - password hashes: bcrypt, and Django's PBKDF2 until its next successful login. */
#ifndef IIMG_SERVICES_ACCOUNTS_PASSWORD_H
#define IIMG_SERVICES_ACCOUNTS_PASSWORD_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

/** The longest password that is hashed, in bytes. */
#define IIMG_PASSWORD_MAX 4096

/**
 * Hash a password with bcrypt ("$2y$", as apr_password_validate and htpasswd), which ignores bytes
 * after the 72nd. This takes tens of milliseconds of CPU after waiting in the queue. Do not hold a
 * database connection meanwhile.
 * Errors: IIMG_LIMITED as iimg_password_enter, IIMG_INTERNAL.
 */
iimg_error_t *iimg_password_hash(iimg_context_t *context, const char *password, const char **hash);

/**
 * Compare a password with a hash. Takes equally long without a usable hash, so that the time does
 * not reveal which accounts exist.
 * @param hash by crypt(3) or htpasswd, or Django's "pbkdf2_sha256$iterations$salt$base64"; NULL, ""
 *             and Django's "!..." match no password
 */
bool iimg_password_verify(const char *password, const char *hash);

/**
 * Compare a password with a hash, after waiting in the queue.
 * @param client as in iimg_password_enter
 * Errors: IIMG_LIMITED as iimg_password_enter.
 */
iimg_error_t *iimg_password_check(iimg_context_t *context, const char *client, const char *password,
                                  const char *hash, bool *right);

/**
 * Whether to replace the hash of this password by that of iimg_password_hash. Django's hashes are
 * replaced, unless the password is longer than bcrypt reads.
 */
bool iimg_password_is_outdated(const char *password, const char *hash);

#endif
