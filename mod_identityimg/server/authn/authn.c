/* authn.c - what passwords and tokens share: the cache, and comparing proofs again. */
#include "server/authn/authn.h"

#include <string.h>
#include "functions/shared/caller.h"
#include "server/authn/basic.h"
#include "server/authn/credential_cache.h"
#include "server/authn/refusal.h"
#include "server/authn/token.h"
#include "server/config/config.h"
#include "server/http/request.h"

apr_status_t iimg_authn_start(apr_pool_t *pool)
{
    return iimg_credential_cache_start(pool);
}

bool iimg_authn_renew(request_rec *r)
{
    const iimg_context_t *context = iimg_context_of(r);

    if (!context->login_proof || !r->user) {
        return false;
    }
    return context->login_token ? iimg_authn_renew_token(r) : iimg_authn_renew_basic(r);
}

static bool is_for_our_handler(const request_rec *r)
{
    return r->handler && strcmp(r->handler, IIMG_HANDLER) == 0;
}

int iimg_authn_fixup(request_rec *r)
{
    iimg_error_t *err;

    if (iimg_location_of(r)->use != IIMG_LOCATION_API || !r->user || !iimg_login_is_open(r)
        || is_for_our_handler(r)) {
        return DECLINED;
    }
    err = iimg_identify_caller(iimg_context_of(r), IIMG_USER);
    if (err && err->kind == IIMG_UNAUTHENTICATED && iimg_authn_renew(r)) {
        err = iimg_identify_caller(iimg_context_of(r), IIMG_USER);
    }
    if (err) {
        return iimg_authn_refuse(r, err);
    }
    iimg_login_open_set(r, false);
    return OK;
}
