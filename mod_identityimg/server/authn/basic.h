/* basic.h - AuthBasicProvider identityimg: passwords of the table users. */
#ifndef IIMG_SERVER_AUTHN_BASIC_H
#define IIMG_SERVER_AUTHN_BASIC_H

#include <stdbool.h>
#include <httpd.h>

/** Register the provider, while hooks are registered. */
void iimg_authn_register_basic(apr_pool_t *pool);

/** Verify the request's password again, without the cache. @return whether it is valid */
bool iimg_authn_renew_basic(request_rec *r);

#endif
