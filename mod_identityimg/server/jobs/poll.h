/* poll.h - polls the databases for the engine: claims jobs, renews leases, reclaims those of dead
 * processes. */
#ifndef IIMG_SERVER_JOBS_POLL_H
#define IIMG_SERVER_JOBS_POLL_H

#include <stdbool.h>
#include <httpd.h>

/**
 * Name this process as an owner of jobs, and find the databases. Call this in a new child, while it
 * has one thread.
 * @param threads the highest IdentityImgEngineThreads of all servers
 * @return false: the module is not enabled in any server
 */
bool iimg_poll_start(apr_pool_t *pchild, server_rec *main_server, int *threads);

/** The work of one poll, and the engine's functions that take the results. */
typedef struct iimg_poll_t {
    bool has_jobs;    /* renew the leases of this process' jobs */
    bool claims_jobs; /* claim queued jobs and those of expired leases, as slots are free */
    bool (*reserve)(const server_rec *server);
    void (*release)(void);
    void (*run)(server_rec *server, const char *job_id);
    void (*cancel)(const char *job_id); /* a client canceled a job of this process */
} iimg_poll_t;

/** Poll all databases. Blocks; one thread at a time. @return true: poll again at once */
bool iimg_poll_run(const iimg_poll_t *poll);

/** This process ends: release its jobs, so that others claim them at once. */
void iimg_poll_release(void);

/** This process ends and has no jobs left. */
void iimg_poll_end(void);

#endif
