/* dbd.h - what the operator told mod_dbd: which servers share a pool of connections, and its size.
 */
#ifndef IIMG_SERVER_DATABASE_DBD_H
#define IIMG_SERVER_DATABASE_DBD_H

#include <httpd.h>

/**
 * All that mod_dbd was told for a server (virtual host), as one text: mod_dbd gives one pool to
 * those servers that have the same.
 * @return never NULL
 */
const char *iimg_dbd_settings(apr_pool_t *pool, const server_rec *server);

/**
 * Whether mod_dbd leads to PostgreSQL for a server, and will make a pool of connections.
 * @return NULL, or a sentence that names the directive and what is wrong with it
 */
const char *iimg_dbd_problem(apr_pool_t *pool, const server_rec *server);

/** DBDMax as it holds for a server; httpd's default else. */
int iimg_dbd_max(apr_pool_t *pool, const server_rec *server);

#endif
