/* attempt.h - an attempt to log in, as failed logins are counted. */
#ifndef IIMG_SERVER_AUTHN_ATTEMPT_H
#define IIMG_SERVER_AUTHN_ATTEMPT_H

#include <httpd.h>
#include "models/login_attempt.h"

/** Describe an attempt by this request: by its client's address and the configured limits. */
void iimg_authn_attempt(request_rec *r, const char *email, const char *password,
                        iimg_login_attempt_t *attempt);

#endif
