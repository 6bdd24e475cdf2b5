/* errors.h - answers errors that httpd found before our handler: the target of ErrorDocuments. */
#ifndef IIMG_SERVER_HTTP_ERRORS_H
#define IIMG_SERVER_HTTP_ERRORS_H

#include <httpd.h>

/** Answer for the request that failed. @return the handler's result */
int iimg_errors_handle(request_rec *r);

#endif
