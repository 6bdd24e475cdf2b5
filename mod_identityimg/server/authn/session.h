/* session.h - the cookie that carries a session's token. */
#ifndef IIMG_SERVER_AUTHN_SESSION_H
#define IIMG_SERVER_AUTHN_SESSION_H

#include <httpd.h>

/** The session token in the request's cookies, not validated. @return "" when there are two that
 * differ; NULL for none */
const char *iimg_session_token(request_rec *r);

/** The hash of that token, as it is stored. @return NULL when there is no well-formed token */
const char *iimg_session_hash(request_rec *r);

/** Set the cookie in the answer. */
void iimg_session_set(request_rec *r, const char *token, int seconds);

/** Delete the cookie with the answer. */
void iimg_session_clear(request_rec *r);

#endif
