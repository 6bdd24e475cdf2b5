/* liveness.h - which processes of this node live: each holds a lock on a file of its own. */
#ifndef IIMG_SERVER_JOBS_LIVENESS_H
#define IIMG_SERVER_JOBS_LIVENESS_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>

/** This process' own mark. */
typedef struct iimg_alive_t {
    const char *dir; /* where the marks of all are */
    const char *path;
    int fd; /* locked as long as the process lives, however it ends */
} iimg_alive_t;

/**
 * Set this process' mark.
 * @param owner "<node>/<pid>/<name>", as it stands in jobs
 * @param name  the last part of it
 * @return NULL when it cannot be: then others learn of this process' death by its leases alone
 */
iimg_alive_t *iimg_alive_begin(apr_pool_t *pool, const char *dir, const char *owner,
                               const char *name);

/** Take it away: nothing is left to be done for this process. */
void iimg_alive_end(iimg_alive_t *alive);

/**
 * Find processes that have died without taking their mark away. Whoever finds one holds its mark:
 * iimg_alive_bury must follow.
 * @param dead iimg_alive_dead_t
 */
typedef struct iimg_alive_dead_t {
    const char *owner;
    const char *path;
    int fd;
} iimg_alive_dead_t;

void iimg_alive_find_dead(apr_pool_t *pool, const iimg_alive_t *alive, apr_array_header_t **dead);

/** @param done false: somebody has to try again */
void iimg_alive_bury(const iimg_alive_dead_t *dead, bool done);

#endif
