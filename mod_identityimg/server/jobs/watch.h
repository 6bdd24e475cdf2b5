/* watch.h - requests that watch a job, and the notifications they get.
 *
 *     watch = iimg_watch_add(pool, server, job_id, version, notify, baton);
 *     ... read the job's row: earlier changes are not reported ...
 *     ... wait until `notify` has been called ...
 *     iimg_watch_remove(watch);
 */
#ifndef IIMG_SERVER_JOBS_WATCH_H
#define IIMG_SERVER_JOBS_WATCH_H

#include <stdbool.h>
#include <httpd.h>
#include <apr_tables.h>

typedef struct iimg_watch_t iimg_watch_t;

typedef enum {
    IIMG_WATCH_CHANGED, /* the job's row has another version, or the job has ended */
    IIMG_WATCH_DUE,     /* the time of iimg_watch_set_due has come */
    IIMG_WATCH_STUCK    /* a backend stays unavailable: stop waiting for this job */
} iimg_watch_event_t;

/** Runs in another thread, under the lock of all watches: must not block or call iimg_watch_*. */
typedef void (*iimg_watch_fn)(void *baton, iimg_watch_event_t event);

/** Initialize, in a new child, while it has one thread. */
apr_status_t iimg_watch_start(apr_pool_t *pchild);

/**
 * Watch a job, whichever process runs it. Notifications may be repeated or spurious.
 * @param version notify when the row's version differs from this one; -1: only when the job ends
 * @return valid until iimg_watch_remove, which must be called before the pool ends
 */
iimg_watch_t *iimg_watch_add(apr_pool_t *pool, server_rec *server, const char *job_id, int version,
                             iimg_watch_fn notify, void *baton);
void iimg_watch_remove(iimg_watch_t *watch);

/** Notify this watch once at `due`, to within a second. */
void iimg_watch_set_due(iimg_watch_t *watch, apr_time_t due);

/**
 * Notify the watches of a job.
 * @param version of its row: watches with this version are skipped; -1: notify all of them
 */
void iimg_watch_notify(const char *job_id, int version, iimg_watch_event_t event);

/** Notify the watches that are due. */
void iimg_watch_notify_due(apr_time_t now);

bool iimg_watch_any(void);

/** The watched jobs of servers with these mod_dbd settings. @return const char * */
apr_array_header_t *iimg_watch_jobs(apr_pool_t *pool, const char *settings);

#endif
