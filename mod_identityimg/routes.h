/* routes.h - which view answers which method and path. */
#ifndef IIMG_ROUTES_H
#define IIMG_ROUTES_H

#include <httpd.h>
#include "server/http/request.h"

/** Answer a request below an enabled Location. @return what the handler returns to httpd */
int iimg_route(request_rec *r);

#endif
