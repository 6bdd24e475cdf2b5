/* wait.h - requests that wait for a job: parked, or each with its thread; as many as the operator
 * allows. */
#ifndef IIMG_SERVER_JOBS_WAIT_H
#define IIMG_SERVER_JOBS_WAIT_H

#include "server/http/prefer.h"
#include "server/http/request.h"

/** What the client would like, as its header says. */
void iimg_await_prefer(const iimg_request_t *req, iimg_prefer_t *prefer);

/** Most seconds that a client may ask to wait for news of a job. */
#define IIMG_AWAIT_MOST 60

/** When so many seconds are over, or IIMG_AWAIT_MOST. */
apr_time_t iimg_await_deadline(int seconds);

/** What is waited for, and what is answered then. */
typedef struct iimg_awaited_t {
    const char *job_id;
    int version; /* of the row, that the client has: another one is waited for; -1: the end */
    apr_time_t deadline;
    /** Answers, as a view does, whatever the job's state: it looks itself. */
    iimg_error_t *(*answer)(iimg_request_t *req, const char *job_id);
} iimg_awaited_t;

/**
 * Take one of the places for those who wait; iimg_await or iimg_await_leave gives it back.
 * @return whether there was one
 */
bool iimg_await_enter(iimg_request_t *req);
void iimg_await_leave(iimg_request_t *req);

/** The error for who wants to wait and cannot. */
iimg_error_t *iimg_await_refuse(const iimg_request_t *req);

/**
 * Wait in the place that was taken, then answer. When the connection can be parked this returns at
 * once, and req->parked says so: the handler must return SUSPENDED.
 */
iimg_error_t *iimg_await(iimg_request_t *req, const iimg_awaited_t *awaited);

/** Whether what is waited for is there, as the row says. @param known false: it could not be read
 */
bool iimg_await_is_over(iimg_request_t *req, const iimg_awaited_t *awaited, bool *known);

#endif
