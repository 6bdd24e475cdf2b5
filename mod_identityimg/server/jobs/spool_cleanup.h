/* spool_cleanup.h - removes replies of the provider that no job needs any more. */
#ifndef IIMG_SERVER_JOBS_SPOOL_CLEANUP_H
#define IIMG_SERVER_JOBS_SPOOL_CLEANUP_H

#include <httpd.h>
#include <apr_tables.h>

/**
 * Remove replies from the spool whose jobs have ended or were deleted. Blocks.
 * @param servers server_rec *: one for each database
 */
void iimg_spool_cleanup(apr_pool_t *pool, const char *dir, const apr_array_header_t *servers);

#endif
