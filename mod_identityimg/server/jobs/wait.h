/* wait.h - requests that wait for a job, parked or in their own thread.
 *
 *     if (!iimg_wait_reserve(req)) {
 *         return iimg_wait_refuse(req);
 *     }
 *     ... enqueue the job; on an error, iimg_wait_release(req) ...
 *     condition.deadline = iimg_wait_deadline(seconds);
 *     return iimg_wait_and_answer(req, &condition);
 */
#ifndef IIMG_SERVER_JOBS_WAIT_H
#define IIMG_SERVER_JOBS_WAIT_H

#include "server/http/prefer.h"
#include "server/http/request.h"
#include "server/jobs/wait_condition.h"

/** Read the request's header Prefer. */
void iimg_wait_prefer(const iimg_request_t *req, iimg_prefer_t *prefer);

/** The longest wait, in seconds, that a client can request. */
#define IIMG_WAIT_MAX 60

/** @return now plus `seconds`, at most plus IIMG_WAIT_MAX */
apr_time_t iimg_wait_deadline(int seconds);

/**
 * Reserve a place: a parked one if the connection can be parked, else a thread's.
 * iimg_wait_and_answer or iimg_wait_release must follow.
 * @return false: all places are taken
 */
bool iimg_wait_reserve(iimg_request_t *req);
void iimg_wait_release(iimg_request_t *req);

/** The error for a request that found no place. */
iimg_error_t *iimg_wait_refuse(const iimg_request_t *req);

/**
 * Wait in the reserved place, then answer. If the connection can be parked, this returns at once
 * with req->parked set: the handler must return SUSPENDED.
 */
iimg_error_t *iimg_wait_and_answer(iimg_request_t *req, const iimg_wait_condition_t *condition);

#endif
