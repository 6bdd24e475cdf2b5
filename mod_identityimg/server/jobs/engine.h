/* engine.h - runs generation jobs: thousands of them in a few threads of each child of httpd.
 *
 *     has_slot = iimg_engine_reserve(server);
 *     ... insert the job's row: `running` for this process if has_slot, else `queued` ...
 *     if the row is `running`:  iimg_engine_run(server, job_id);
 *     else if has_slot:         iimg_engine_release();
 *     if the row is `queued`:   iimg_engine_poll();
 */
#ifndef IIMG_SERVER_JOBS_ENGINE_H
#define IIMG_SERVER_JOBS_ENGINE_H

#include <stdbool.h>
#include <httpd.h>

/**
 * Start the engine's thread and name this process as an owner of jobs. Call this in a new child,
 * while it has one thread, and after iimg_database_start.
 * @return NULL, or why not
 */
const char *iimg_engine_start(apr_pool_t *pchild, server_rec *main_server);

/**
 * The child stops.
 * @param graceful finish the jobs of this child, and those that its clients wait for
 */
void iimg_engine_stop(bool graceful);

/**
 * Reserve a slot for one job; iimg_engine_run or iimg_engine_release must follow.
 * @return false: this child is full, the job has to be queued
 */
bool iimg_engine_reserve(const server_rec *server);
void iimg_engine_release(void);

/** Run a job that this process owns, in the reserved slot. */
void iimg_engine_run(server_rec *server, const char *job_id);

/** Poll the queue now: a job was queued. */
void iimg_engine_poll(void);

#endif
