/* spool.h - the folder that replies of providers are spooled in.
 *
 *     iimg_config_spool_check (configtest too), iimg_config_spool_start
 */
#ifndef IIMG_SERVER_CONFIG_SPOOL_H
#define IIMG_SERVER_CONFIG_SPOOL_H

#include "server/config/config.h"

/**
 * Choose the folder and check that it can be used or made. Changes nothing on disk.
 * @return NULL, or a sentence that begins with the directive to mend
 */
const char *iimg_config_spool_check(apr_pool_t *pool, iimg_config_t *config);

/**
 * Make the folder, before children start: for httpd's User alone. A folder that exists must belong
 * to that user already.
 * @return NULL, or a sentence that begins with the directive to mend
 */
const char *iimg_config_spool_start(apr_pool_t *pool, iimg_config_t *config);

#endif
