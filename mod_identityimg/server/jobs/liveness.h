/* liveness.h - which processes of this node are alive: each holds a lock on its own marker file.
 *
 *     iimg_liveness_find_dead(pool, own, &dead);
 *     for each of dead: release its jobs, then iimg_liveness_close_dead(dead, released);
 */
#ifndef IIMG_SERVER_JOBS_LIVENESS_H
#define IIMG_SERVER_JOBS_LIVENESS_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>

/** This process' own marker. */
typedef struct iimg_liveness_t {
    const char *dir; /* of all markers */
    const char *path;
    int fd; /* the kernel releases its lock when the process ends, however that happens */
} iimg_liveness_t;

/** The marker of a process that died. */
typedef struct iimg_liveness_dead_t {
    const char *owner;
    const char *path;
    int fd; /* locked: no other process handles this one */
} iimg_liveness_dead_t;

/**
 * Create and lock this process' marker.
 * @param owner "<node>/<pid>/<name>", as jobs name it
 * @param name  the last part of it
 * @return NULL on failure: then other processes detect its death only when its leases expire
 */
iimg_liveness_t *iimg_liveness_register(apr_pool_t *pool, const char *dir, const char *owner,
                                        const char *name);

/** Remove the marker: this process has no jobs left. */
void iimg_liveness_unregister(iimg_liveness_t *liveness);

/**
 * Lock the markers of processes that died; iimg_liveness_close_dead must follow for each of them.
 * @param dead iimg_liveness_dead_t
 */
void iimg_liveness_find_dead(apr_pool_t *pool, const iimg_liveness_t *liveness,
                             apr_array_header_t **dead);

/** @param released false: keep the marker, so that a process retries */
void iimg_liveness_close_dead(const iimg_liveness_dead_t *dead, bool released);

#endif
