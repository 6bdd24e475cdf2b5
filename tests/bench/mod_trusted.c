/* mod_trusted.c - for benchmarks: AuthType Trusted accepts every request as the user in AuthName.
 */
#include <strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_request.h>

static int trust(request_rec *r)
{
    const char *type = ap_auth_type(r);

    if (!type || strcasecmp(type, "Trusted") != 0) {
        return DECLINED;
    }
    r->user = (char *)ap_auth_name(r);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_check_authn(trust, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
}

AP_DECLARE_MODULE(trusted) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks
};
