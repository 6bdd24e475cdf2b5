/* accept.h - which types of answers a client takes: the header Accept (RFC 9110, 12.5.1). */
#ifndef IIMG_SERVER_HTTP_ACCEPT_H
#define IIMG_SERVER_HTTP_ACCEPT_H

#include <stdbool.h>

/**
 * Whether the header names a type itself, not by a star, and does not refuse it with q=0.
 * @param header the field's value; NULL names nothing
 */
bool iimg_accept_names(const char *header, const char *type);

#endif
