/* presented_token.h - the token that a request presents: in Authorization, else in a cookie. */
#ifndef IIMG_SERVER_AUTHN_PRESENTED_TOKEN_H
#define IIMG_SERVER_AUTHN_PRESENTED_TOKEN_H

#include <httpd.h>

/**
 * @param kind IIMG_TOKEN_BEARER or IIMG_TOKEN_SESSION
 * @return the token, not validated; NULL: the request has none
 */
const char *iimg_presented_token(request_rec *r, const char **kind);

#endif
