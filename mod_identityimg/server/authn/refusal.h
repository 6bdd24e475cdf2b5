/* refusal.h - how a request is refused before a handler runs. */
#ifndef IIMG_SERVER_AUTHN_REFUSAL_H
#define IIMG_SERVER_AUTHN_REFUSAL_H

#include <httpd.h>
#include "base/error.h"

/** Have the ErrorDocument answer err. @return the status for httpd */
int iimg_authn_refuse(request_rec *r, iimg_error_t *err);

/** If err is a 401 for an invalid session, have the answer delete its cookie. */
void iimg_authn_clear_session(request_rec *r, const iimg_error_t *err);

#endif
