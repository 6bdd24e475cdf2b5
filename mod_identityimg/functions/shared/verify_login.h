/* verify_login.h - verify an email and a password. */
#ifndef IIMG_FUNCTIONS_SHARED_VERIFY_LOGIN_H
#define IIMG_FUNCTIONS_SHARED_VERIFY_LOGIN_H

#include "base/context.h"
#include "base/error.h"
#include "models/login_attempt.h"

/**
 * Verify an email and a password. An unknown email, a wrong password and a correct one take the
 * same time, except with hashes made by Django. A correct password with an outdated hash is hashed
 * again.
 * @param login NULL when they do not match; else the account, active or not
 * Errors: IIMG_LIMITED after too many failures (login_limited, without hashing) or when the hash
 * queue is full (login_busy), IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_verify_login(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                iimg_login_t **login);

#endif
