/* authn.h - AuthBasicProvider identityimg: passwords from users, hashed once a minute at most. */
#ifndef IIMG_SERVER_AUTHN_H
#define IIMG_SERVER_AUTHN_H

#include <stdbool.h>
#include <httpd.h>

/** Register the provider. Called while hooks are registered. */
void iimg_authn_register(apr_pool_t *pool);

/** Make the memory of verified credentials, in a new child, while it has one thread. */
apr_status_t iimg_authn_start(apr_pool_t *pool);

/**
 * The stored hash is no longer the one that the request's credentials were verified against: forget
 * them and verify anew, since it may be another hash of the same password.
 * @return whether they are good
 */
bool iimg_authn_renew(request_rec *r);

#endif
