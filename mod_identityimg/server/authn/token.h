/* token.h - AuthType IdentityImg: bearer tokens and sessions of the table tokens. */
#ifndef IIMG_SERVER_AUTHN_TOKEN_H
#define IIMG_SERVER_AUTHN_TOKEN_H

#include <stdbool.h>
#include <httpd.h>

/** The hook check_authn. */
int iimg_authn_check_token(request_rec *r);

/** Look the request's token up again, without the cache. @return whether it is valid */
bool iimg_authn_renew_token(request_rec *r);

/** The request's token ends: remove it from the cache of this child. */
void iimg_authn_forget_token(request_rec *r);

#endif
