/* origin.h - where in the web a request comes from: cross-site writes, shared answers (Fetch,
 * CORS). */
#ifndef IIMG_SERVER_HTTP_ORIGIN_H
#define IIMG_SERVER_HTTP_ORIGIN_H

#include "server/http/request.h"

/**
 * Let pages of the origins that the operator listed read the answer, whatever it will be. Called
 * before anything is decided about a request.
 */
void iimg_origin_share(request_rec *r);

/**
 * Whether a write may have been made by a page of another site, with the visitor's credentials:
 * Sec-Fetch-Site is neither same-origin nor none, or there is no such header and Origin is neither
 * our own nor listed. Clients that are no browsers send neither header.
 * Errors: IIMG_FORBIDDEN, code cross_site.
 */
iimg_error_t *iimg_origin_check(const iimg_request_t *req);

/**
 * Answer the CORS part of a preflight, when the request is one.
 * @param methods of the path, as Allow has them
 */
void iimg_origin_preflight(const iimg_request_t *req, const char *methods);

#endif
