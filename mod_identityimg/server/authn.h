/* authn.h - AuthBasicProvider identityimg: passwords from users, hashed once a minute at most. */
#ifndef IIMG_SERVER_AUTHN_H
#define IIMG_SERVER_AUTHN_H

#include <httpd.h>

/** Register the provider. Called while hooks are registered. */
void iimg_authn_register(apr_pool_t *pool);

/** Make the memory of verified credentials, in a new child, while it has one thread. */
apr_status_t iimg_authn_start(apr_pool_t *pool);

/** Forget the credentials of a request: the password has changed since they were verified. */
void iimg_authn_forget(request_rec *r);

#endif
