/* challenge.h - the WWW-Authenticate header of a 401. */
#ifndef IIMG_SERVER_HTTP_CHALLENGE_H
#define IIMG_SERVER_HTTP_CHALLENGE_H

#include <stdbool.h>
#include <httpd.h>

/** Whether the client sent a bearer token to a Location that accepts them. */
bool iimg_challenge_is_bearer(request_rec *r);

/** Set WWW-Authenticate. Another module's challenge stays, except for "Basic" if a script sent the
 * request: the browser would open its password dialog over the page. */
void iimg_challenge_set(request_rec *r);

#endif
