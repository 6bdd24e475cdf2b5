/* presented_token.c - the token that a request presents: in Authorization, else in a cookie. */
#include "server/authn/presented_token.h"

#include <string.h>
#include <strings.h>
#include "models/token.h"
#include "server/authn/session.h"

#define BEARER "Bearer"

const char *iimg_presented_token(request_rec *r, const char **kind)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    size_t n = strlen(BEARER);

    if (header && strncasecmp(header, BEARER, n) == 0 && (header[n] == ' ' || !header[n])) {
        *kind = IIMG_TOKEN_BEARER;
        return header + n + strspn(header + n, " ");
    }
    *kind = IIMG_TOKEN_SESSION;
    return iimg_session_token(r);
}
