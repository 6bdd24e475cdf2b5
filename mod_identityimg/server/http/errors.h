/* errors.h - errors that httpd makes before our handler, in our words: an ErrorDocument's target.
 */
#ifndef IIMG_SERVER_HTTP_ERRORS_H
#define IIMG_SERVER_HTTP_ERRORS_H

#include <httpd.h>

/** Answer for the request that failed. @return what the handler returns to httpd */
int iimg_errors_handle(request_rec *r);

#endif
