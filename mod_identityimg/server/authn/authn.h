/* authn.h - who comes in by what the table users knows: passwords and tokens. */
#ifndef IIMG_SERVER_AUTHN_AUTHN_H
#define IIMG_SERVER_AUTHN_AUTHN_H

#include <stdbool.h>
#include <httpd.h>
#include "base/error.h"
#include "models/login_attempt.h"

/** Register AuthBasicProvider identityimg. Called while hooks are registered. */
void iimg_authn_register_basic(apr_pool_t *pool);

/** The hook check_authn: AuthType IdentityImg. */
int iimg_authn_check_token(request_rec *r);

/**
 * The hook fixups, the last one: below `IdentityImg on` a login may have come in on the word that
 * our handler compares its proof. If by now another handler is to answer, that is done here.
 */
int iimg_authn_fixup(request_rec *r);

/** The handler's name in r->handler. */
#define IIMG_HANDLER "identityimg"

/** Make the memory of verified credentials, in a new child, while it has one thread. */
apr_status_t iimg_authn_start(apr_pool_t *pool);

/**
 * What the request's credentials were verified against does not hold any more: forget them and
 * verify anew, since it may be another hash of the same password, or another email of the token's
 * user.
 * @return whether they are good
 */
bool iimg_authn_renew(request_rec *r);

/** An attempt to log in by this request, as the brake counts it. */
void iimg_authn_attempt(request_rec *r, const char *email, const char *password,
                        iimg_login_attempt_t *attempt);

/** The request's token (a header's, else a cookie's) ends: forget it in this child. */
void iimg_authn_forget_token(request_rec *r);

/** The answer is a 401 for err: when a cookie's session is what is dead, let it take the cookie
 * away. */
void iimg_authn_clear_dead(request_rec *r, const iimg_error_t *err);

/*
 * Between the files authn*.c ---------------------------------------------------------------------
 */

/** Let the error path answer err. @return the status for httpd */
int iimg_authn_refuse(request_rec *r, iimg_error_t *err);

bool iimg_authn_renew_basic(request_rec *r);
bool iimg_authn_renew_token(request_rec *r);

#endif
