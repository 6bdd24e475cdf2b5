/* origin.h - cross-site requests: refuses writes, and shares responses with listed origins (CORS).
 */
#ifndef IIMG_SERVER_HTTP_ORIGIN_H
#define IIMG_SERVER_HTTP_ORIGIN_H

#include "server/http/request.h"

/**
 * Let pages of the configured origins read the response. Call this before any other hook decides
 * about the request: errors are shared, too.
 */
void iimg_origin_share(request_rec *r);

/**
 * Refuse a write that a page of another site may have made with the user's credentials:
 * Sec-Fetch-Site is neither same-origin nor none, or it is missing and Origin is neither our own
 * nor configured. Clients other than browsers send neither header.
 * Errors: IIMG_FORBIDDEN, code cross_site.
 */
iimg_error_t *iimg_origin_check(const iimg_request_t *req);

/**
 * Set the CORS headers of a preflight's response, if the request is one.
 * @param methods of the path, as Allow has them
 */
void iimg_origin_preflight(const iimg_request_t *req, const char *methods);

#endif
