/* attempt.c - an attempt to log in, as failed logins are counted. */
#include "server/authn/attempt.h"

#include <string.h>
#include <arpa/inet.h>
#include <apr_strings.h>
#include "server/config/config.h"

/* An IPv6 client has 2^64 addresses: they count as one. */
static const char *counted_address(request_rec *r)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n = strcspn(r->useragent_ip, "%"); /* without the zone of a link-local address */
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
