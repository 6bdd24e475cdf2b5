/* connection.h - the tool's one connection to the database. */
#ifndef IIMG_CTL_CONNECTION_H
#define IIMG_CTL_CONNECTION_H

#include "base/db/db.h"

/**
 * Connect, when the connection is first needed.
 * @param conninfo libpq's, or NULL
 * @param problem  set to a sentence when conninfo is none, or holds a password
 * @return NULL when there is a problem
 */
const iimg_db_t *ctl_connection(apr_pool_t *pool, const char *conninfo, const char **problem);

#endif
