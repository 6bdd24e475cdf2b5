/* errors.h - errors that httpd makes before our handler, in our words: an ErrorDocument's target. */
#ifndef IIMG_SERVER_ERRORS_H
#define IIMG_SERVER_ERRORS_H

#include <stdbool.h>
#include <httpd.h>

/** Whether the request's Location has SetHandler identityimg-error. */
bool iimg_errors_is_target(const request_rec *r);

/** Answer for the request that failed. @return what the handler returns to httpd */
int iimg_errors_handle(request_rec *r);

#endif
