/* database.h - lends mod_dbd's connections: alive, outside any transaction, within bounded time. */
#ifndef IIMG_SERVER_DATABASE_DATABASE_H
#define IIMG_SERVER_DATABASE_DATABASE_H

#include <httpd.h>
#include "base/db/db.h"
#include "server/config/config.h"

/** Find mod_dbd, before children start. @return NULL, or what is missing and how to fix it */
const char *iimg_database_check(void);

/** Create the gates of mod_dbd's pools, in a new child, while it has one thread. */
apr_status_t iimg_database_start(apr_pool_t *pool, server_rec *main_server);

/**
 * The lender of connections for one context. @param pool lives as long as the context
 * @return never NULL
 */
const iimg_db_t *iimg_database_lender(apr_pool_t *pool, server_rec *server);

/**
 * The same with lower limits.
 * @param wait    milliseconds for a free connection
 * @param timeout seconds for a statement; the configured limits apply if they are lower
 */
const iimg_db_t *iimg_database_hasty_lender(apr_pool_t *pool, server_rec *server, int wait,
                                            int timeout);

#endif
