/* job.h - process a request in its own sandboxed process. */
#ifndef IIMG_WORKER_JOB_H
#define IIMG_WORKER_JOB_H

#include <stdbool.h>

#include "services/pictures/protocol.h"

/** Initialize libraries in the zygote, without threads. @return NULL, or the problem */
const char *iimg_job_prepare(void);

/**
 * Process a request and write the answer.
 * @param picture a sealed file in memory, or one that is open for reading only
 * @param answer  the pipe for the answer
 * @return whether the answer was written
 */
bool iimg_job_run(const iimg_work_request_t *request, int picture, int answer);

#endif
