/* refusal.c - how a request is refused before a handler runs. */
#include "server/authn/refusal.h"

#include <string.h>
#include "models/token.h"
#include "server/authn/presented_token.h"
#include "server/authn/session.h"
#include "server/http/challenge.h"
#include "server/http/request.h"

int iimg_authn_refuse(request_rec *r, iimg_error_t *err)
{
    iimg_pending_error_set(r, err);
    if (err->kind != IIMG_UNAUTHENTICATED) {
        return HTTP_INTERNAL_SERVER_ERROR; /* the ErrorDocument answers the error's own status */
    }
    iimg_challenge_set(r);
    iimg_authn_clear_session(r, err);
    return HTTP_UNAUTHORIZED;
}

void iimg_authn_clear_session(request_rec *r, const iimg_error_t *err)
{
    const char *kind;

    if (err->kind == IIMG_UNAUTHENTICATED && err->code && strcmp(err->code, "invalid_token") == 0
        && iimg_presented_token(r, &kind) && strcmp(kind, IIMG_TOKEN_SESSION) == 0) {
        iimg_session_clear(r);
    }
}
