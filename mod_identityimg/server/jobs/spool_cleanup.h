/* spool_cleanup.h - what processes left that died over a job's last steps. For
 * server/jobs/engine.c. */
#ifndef IIMG_SERVER_JOBS_SPOOL_CLEANUP_H
#define IIMG_SERVER_JOBS_SPOOL_CLEANUP_H

#include <httpd.h>
#include <apr_tables.h>

/**
 * Remove answers from the spool whose jobs have ended, or are not there any more.
 * @param servers server_rec *: one for each database
 */
void iimg_engine_clear_spool(apr_pool_t *pool, const char *dir, const apr_array_header_t *servers);

#endif
