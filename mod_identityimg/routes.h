/* routes.h - dispatch requests to views. */
#ifndef IIMG_ROUTES_H
#define IIMG_ROUTES_H

#include <httpd.h>
#include "server/http/request.h"

/** Handle a request below an enabled Location. @return the result of the handler */
int iimg_route(request_rec *r);

#endif
