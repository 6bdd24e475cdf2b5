/* challenge.h - what a 401 asks for: its WWW-Authenticate. */
#ifndef IIMG_SERVER_HTTP_CHALLENGE_H
#define IIMG_SERVER_HTTP_CHALLENGE_H

#include <stdbool.h>
#include <httpd.h>

/** Whether the client came with a bearer token, and to where it is one that counts. */
bool iimg_challenge_is_bearer(request_rec *r);

/** Give the answer to r its WWW-Authenticate. What another module asked for stays, but for "Basic"
 * towards a page's script: the browser would open its password box over the page. */
void iimg_challenge_set(request_rec *r);

#endif
