/* authn.h - what passwords and tokens share: the cache, and comparing proofs again. */
#ifndef IIMG_SERVER_AUTHN_AUTHN_H
#define IIMG_SERVER_AUTHN_AUTHN_H

#include <stdbool.h>
#include <httpd.h>

/** The handler's name in r->handler. */
#define IIMG_HANDLER "identityimg"

/** Start the credential cache, in a new child, while it has one thread. */
apr_status_t iimg_authn_start(apr_pool_t *pool);

/**
 * The hook fixups, the last one. Below `IdentityImg on`, a request is let in with cached
 * credentials because our handler compares their proof. Where another handler answers, this
 * function compares it.
 */
int iimg_authn_fixup(request_rec *r);

/**
 * The cached proof of the request's credentials is outdated: remove it, and verify the credentials
 * again. The user may have a new hash of the same password, or the token's user a new email.
 * @return whether they are valid
 */
bool iimg_authn_renew(request_rec *r);

#endif
