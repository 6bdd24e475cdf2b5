/* watch.h - those who wait for news of jobs, and telling them. For server/engine*.c. */
#ifndef IIMG_SERVER_JOBS_WATCH_H
#define IIMG_SERVER_JOBS_WATCH_H

#include <stdbool.h>
#include <apr_tables.h>
#include "server/jobs/engine.h"

/** Begin, in a new child, while it has one thread. */
apr_status_t iimg_watches_start(apr_pool_t *pchild);

/**
 * Tell those who wait for a job.
 * @param version of its row: who has that one is not told; -1: whoever waits is
 */
void iimg_watches_tell(const char *job_id, int version, iimg_engine_news_t news);

/** Tell those whose time has come. */
void iimg_watches_tell_time(apr_time_t now);

/** Whether anybody waits. */
bool iimg_watches_any(void);

/** The jobs that are waited for by requests to servers with these settings of mod_dbd. @return
 * const char * */
apr_array_header_t *iimg_watches_jobs(apr_pool_t *pool, const char *settings);

#endif
