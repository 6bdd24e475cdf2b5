/* authn.c - who comes in by what the table users knows: what passwords and tokens share. */
#include "server/authn/authn.h"

#include <string.h>
#include <arpa/inet.h>
#include <apr_strings.h>
#include "functions/shared/caller.h"
#include "server/http/challenge.h"
#include "server/config/config.h"
#include "server/authn/credential_cache.h"
#include "server/http/request.h"

apr_status_t iimg_authn_start(apr_pool_t *pool)
{
    return iimg_credentials_start(pool);
}

bool iimg_authn_renew(request_rec *r)
{
    const iimg_context_t *context = iimg_context_of(r);

    if (!context->login_proof || !r->user) {
        return false;
    }
    return context->login_token ? iimg_authn_renew_token(r) : iimg_authn_renew_basic(r);
}

int iimg_authn_refuse(request_rec *r, iimg_error_t *err)
{
    iimg_pending_error_set(r, err);
    if (err->kind != IIMG_UNAUTHENTICATED) {
        return HTTP_INTERNAL_SERVER_ERROR; /* the error path answers what it really is */
    }
    iimg_challenge_set(r);
    iimg_authn_clear_dead(r, err);
    return HTTP_UNAUTHORIZED;
}

int iimg_authn_fixup(request_rec *r)
{
    iimg_error_t *err;

    if (iimg_location_of(r)->use != IIMG_LOCATION_API || !r->user || !iimg_login_is_open(r)
        || (r->handler && strcmp(r->handler, IIMG_HANDLER) == 0)) {
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

/* Who has an IPv6 address has 2^64 of them. */
static const char *counted_address(request_rec *r)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n = strcspn(r->useragent_ip, "%"); /* the zone of a link-local one */
    const char *plain = apr_pstrmemdup(r->pool, r->useragent_ip, n);

    if (inet_pton(AF_INET6, plain, &address) != 1) {
        return plain;
    }
    memset(address.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &address, text, sizeof(text));
    return apr_pstrcat(r->pool, text, "/64", NULL);
}

void iimg_authn_attempt(request_rec *r, const char *email, const char *password,
                        iimg_login_attempt_t *attempt)
{
    const iimg_config_t *config = iimg_config_of(r->server);

    *attempt = (iimg_login_attempt_t){
        .email = email,
        .password = password,
        .address = counted_address(r),
        .max_failures = config->login_failures,
        .window = config->login_window,
    };
}
