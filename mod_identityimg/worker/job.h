/* job.h - one request, worked on in a process of its own that is locked in already. */
#ifndef IIMG_WORKER_JOB_H
#define IIMG_WORKER_JOB_H

#include <stdbool.h>

#include "services/pictures/protocol.h"

/** Start libraries, once, in the zygote: no thread begins. @return NULL, or what went wrong */
const char *iimg_job_prepare(void);

/**
 * Do what was asked and write one answer.
 * @param picture the sealed memory file
 * @param answer  the pipe for the answer
 * @return whether the answer was written
 */
bool iimg_job_run(const iimg_work_request_t *request, int picture, int answer);

#endif
