/* database.h - lends mod_dbd's connections: alive, outside any transaction, within bounded time. */
#ifndef IIMG_SERVER_DATABASE_DATABASE_H
#define IIMG_SERVER_DATABASE_DATABASE_H

#include <httpd.h>
#include "base/db/db.h"
#include "server/config/config.h"

/**
 * Look for mod_dbd, before children start.
 * @return NULL, or a sentence that says what is missing
 */
const char *iimg_database_check(void);

/** Make the gates in front of mod_dbd's pools, in a new child, while it has one thread. */
apr_status_t iimg_database_start(apr_pool_t *pool, server_rec *main_server);

/**
 * The lender for one piece of work. @param pool lives as long as the work
 * @return never NULL
 */
const iimg_db_t *iimg_database_lender(apr_pool_t *pool, server_rec *server);

/**
 * The same for work that gives up sooner.
 * @param wait    milliseconds for a free connection
 * @param timeout seconds for a statement; neither is longer than configured
 */
const iimg_db_t *iimg_database_hasty_lender(apr_pool_t *pool, server_rec *server, int wait,
                                            int timeout);

#endif
