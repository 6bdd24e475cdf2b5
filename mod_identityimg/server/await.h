/* await.h - requests that wait for a job, each with its thread: as many as the operator allows. */
#ifndef IIMG_SERVER_AWAIT_H
#define IIMG_SERVER_AWAIT_H

#include "base/prefer.h"
#include "server/request.h"

/** What the client would like, as its header says. */
void iimg_await_prefer(const iimg_request_t *req, iimg_prefer_t *prefer);

/** Take one of the places for those who wait. iimg_await_leave gives it back. @return whether there was one */
bool iimg_await_enter(const iimg_request_t *req);
void iimg_await_leave(void);

/** The error for who wants to wait and cannot. */
iimg_error_t *iimg_await_refuse(const iimg_request_t *req);

/** Most seconds that a client may ask to wait for news of a job. */
#define IIMG_AWAIT_MOST 60

/** When so many seconds are over, or IIMG_AWAIT_MOST. */
apr_time_t iimg_await_deadline(int seconds);

/** Wait, in a place, until a job has ended. @return false: it has not, and the time is over */
bool iimg_await_job(iimg_request_t *req, const char *job_id, apr_time_t deadline);

/** The same until its row has another version. */
void iimg_await_change(iimg_request_t *req, const char *job_id, int version, apr_time_t deadline);

#endif
