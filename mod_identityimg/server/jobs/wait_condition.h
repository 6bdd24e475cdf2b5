/* wait_condition.h - the job that a request waits for, and how it is answered afterwards. */
#ifndef IIMG_SERVER_JOBS_WAIT_CONDITION_H
#define IIMG_SERVER_JOBS_WAIT_CONDITION_H

#include "server/http/request.h"

typedef struct iimg_wait_condition_t {
    const char *job_id;
    int version; /* the client's version of the row: wait for another one; -1: for the job's end */
    apr_time_t deadline;
    /** Reads the job's current state and answers, as a view does. */
    iimg_error_t *(*answer)(iimg_request_t *req, const char *job_id);
} iimg_wait_condition_t;

/**
 * Read the job's row, in a pool that is destroyed before this returns.
 * @param known set to false when the row could not be read
 */
bool iimg_wait_condition_is_met(iimg_request_t *req, const iimg_wait_condition_t *condition,
                                bool *known);

#endif
