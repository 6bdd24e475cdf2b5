/* config.c - the configuration of a server and of a <Location>: merge and lookup. */
#include "server/config/config.h"

#include <string.h>

void *iimg_location_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(iimg_location_t));
}

/* The innermost <Location> around a request decides, in any order: "off" for "/" does not turn off
 * "/api/v1". Of two for the same path, the later one decides. */
void *iimg_location_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_location_t *base = base_, *add = add_;

    (void)pool;
    if (add->use == IIMG_LOCATION_UNSET) {
        return base;
    }
    return base->use != IIMG_LOCATION_UNSET && strlen(base->base) > strlen(add->base) ? base : add;
}

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &identityimg_module);
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &identityimg_module);
}
