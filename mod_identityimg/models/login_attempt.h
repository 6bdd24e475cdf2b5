/* login_attempt.h - the brake on guessing: rows of login_failures, and what a login is checked by.
 */
#ifndef IIMG_MODELS_LOGIN_ATTEMPT_H
#define IIMG_MODELS_LOGIN_ATTEMPT_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/user.h"

/** Somebody wants to come in. */
typedef struct iimg_login_attempt_t {
    const char *email;
    const char *password;
    const char *address; /* where from, as the brake counts */
    int max_failures;    /* then that account has to wait, from that address */
    int window;          /* seconds from the first failure until they are forgotten */
} iimg_login_attempt_t;

/** The account that somebody wants to come in to. */
typedef struct iimg_login_t {
    iimg_user_t user; /* id NULL: nobody has that email */
    const char *hash; /* stored; NULL: nobody has that email */
    bool is_active;
    int failures;      /* of the account, from the address, this attempt included */
    const char *place; /* what this attempt is known by as long as it has no end */
} iimg_login_t;

/**
 * Count an attempt as a failure, before it is known to be one, and look the account up. Without one
 * of the three ends below within a minute, because this process has died, it counts no longer.
 * @param wait seconds until there may be another attempt; 0: this one may go on
 */
iimg_error_t *iimg_login_attempt_begin(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                       int *wait, iimg_login_t *login);

/**
 * It failed: it counts until the window ends.
 * @param counted false: it took so long that it counted no longer. Then nobody may learn whether
 * the password was right: it would have been a guess for nothing
 */
iimg_error_t *iimg_login_attempt_fail(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                      const iimg_login_t *login, bool *counted);

/** It succeeded and does not count; of failures before it at most half of max_failures remain, the
 * first time within a window. @param counted as iimg_login_attempt_fail's */
iimg_error_t *iimg_login_attempt_succeed(iimg_context_t *context,
                                         const iimg_login_attempt_t *attempt,
                                         const iimg_login_t *login, bool *counted);

/** It was given up before a password was compared: it was no failure. */
iimg_error_t *iimg_login_attempt_withdraw(iimg_context_t *context,
                                          const iimg_login_attempt_t *attempt,
                                          const iimg_login_t *login);

/** Forget what is old, some at a time. @param count how many */
iimg_error_t *iimg_login_attempt_expire(iimg_context_t *context, int *count);

#endif
