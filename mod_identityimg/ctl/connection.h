/* connection.h - the only connection of identityimgctl to the database. */
#ifndef IIMG_CTL_CONNECTION_H
#define IIMG_CTL_CONNECTION_H

#include "base/db/db.h"

/**
 * Prepare a connection that opens on first use.
 * @param conninfo libpq's connection string, or NULL
 * @param problem  set to a sentence when conninfo is invalid or contains a password
 * @return NULL when there is a problem
 */
const iimg_db_t *ctl_connection(apr_pool_t *pool, const char *conninfo, const char **problem);

#endif
