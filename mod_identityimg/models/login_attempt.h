/* login_attempt.h - limits failed logins: rows of login_failures, and the account of a login. */
#ifndef IIMG_MODELS_LOGIN_ATTEMPT_H
#define IIMG_MODELS_LOGIN_ATTEMPT_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/user.h"

/*
 * An attempt counts as a failure from its start, so that concurrent guesses cannot exceed the
 * limit:
 *
 *     iimg_login_attempt_begin(context, &attempt, &wait, &login);
 *     if (wait == 0) {
 *         compare the password
 *         iimg_login_attempt_fail or _succeed, or _withdraw if it was not compared
 *     }
 *
 * An attempt without one of these three ends counts no longer after a minute: its process has died.
 */

/** A login that a client attempts. */
typedef struct iimg_login_attempt_t {
    const char *email;
    const char *password;
    const char *address; /* of the client, or its network */
    int max_failures;    /* of an account from an address, in a window */
    int window;          /* seconds from the first failure until failures expire */
} iimg_login_attempt_t;

/** The account of an attempt. */
typedef struct iimg_login_t {
    iimg_user_t user; /* id NULL: there is no such user */
    const char *hash; /* of the password; NULL: there is no such user */
    bool is_active;
    int failures;      /* of the account from the address, with this attempt */
    const char *place; /* identifies this attempt until its end */
} iimg_login_t;

/**
 * Count an attempt as a failure, and look up the account.
 * @param wait seconds until the next attempt is allowed; 0: this one is
 */
iimg_error_t *iimg_login_attempt_begin(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                       int *wait, iimg_login_t *login);

/**
 * End a failed attempt: it counts until the window ends.
 * @param counted false: the attempt took too long and counted no longer. Then the response must not
 *                reveal whether the password was right, or the guess would have been free
 */
iimg_error_t *iimg_login_attempt_fail(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                      const iimg_login_t *login, bool *counted);

/**
 * End a successful attempt: it does not count. The first success in a window reduces earlier
 * failures to half of max_failures at most.
 * @param counted as iimg_login_attempt_fail
 */
iimg_error_t *iimg_login_attempt_succeed(iimg_context_t *context,
                                         const iimg_login_attempt_t *attempt,
                                         const iimg_login_t *login, bool *counted);

/** End an attempt whose password was not compared: it does not count. */
iimg_error_t *iimg_login_attempt_withdraw(iimg_context_t *context,
                                          const iimg_login_attempt_t *attempt,
                                          const iimg_login_t *login);

/** Delete some expired rows. @param count how many */
iimg_error_t *iimg_login_attempt_expire(iimg_context_t *context, int *count);

#endif
