/* dbd.h - the configuration of mod_dbd: which servers share a pool of connections, and its size. */
#ifndef IIMG_SERVER_DATABASE_DBD_H
#define IIMG_SERVER_DATABASE_DBD_H

#include <httpd.h>

/**
 * All directives of mod_dbd for a server, as one text. mod_dbd creates one pool for all servers
 * with the same text.
 * @return never NULL
 */
const char *iimg_dbd_settings(apr_pool_t *pool, const server_rec *server);

/**
 * Check that mod_dbd connects to PostgreSQL for a server, and can create a pool.
 * @return NULL, or a message that begins with the directive at fault
 */
const char *iimg_dbd_problem(apr_pool_t *pool, const server_rec *server);

/** DBDMax of a server, or mod_dbd's default. */
int iimg_dbd_max(apr_pool_t *pool, const server_rec *server);

#endif
