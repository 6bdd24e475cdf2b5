/* session.h - the cookie that carries a session's token. */
#ifndef IIMG_SERVER_AUTHN_SESSION_H
#define IIMG_SERVER_AUTHN_SESSION_H

#include <httpd.h>

/** The session's token that the request carries, whatever it is worth: "" when it carries two that
 * differ. @return NULL for none */
const char *iimg_session_token(request_rec *r);

/** What is stored of that token. @return NULL when there is none that has a token's form */
const char *iimg_session_hash(request_rec *r);

/** Let the answer set the cookie, for so many seconds. */
void iimg_session_set(request_rec *r, const char *token, int seconds);

/** Let the answer take the cookie away. */
void iimg_session_clear(request_rec *r);

#endif
