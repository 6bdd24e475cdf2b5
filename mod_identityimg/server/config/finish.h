/* finish.h - completes a server's configuration: defaults, secrets, services. */
#ifndef IIMG_SERVER_CONFIG_FINISH_H
#define IIMG_SERVER_CONFIG_FINISH_H

#include "server/config/config.h"

/**
 * Fill in defaults, read secrets and build the services of one server, before children start.
 * @return NULL, or a message that begins with the directive at fault and says how to fix it
 */
const char *iimg_config_finish(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config);

#endif
