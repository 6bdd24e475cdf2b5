/* idempotency.h - run a request once, even if it is sent repeatedly with one Idempotency-Key. */
#ifndef IIMG_FUNCTIONS_SHARED_IDEMPOTENCY_H
#define IIMG_FUNCTIONS_SHARED_IDEMPOTENCY_H

#include "base/context.h"
#include "base/error.h"
#include "models/idempotency_key.h"

/*
 *   err = iimg_idempotency_begin(context, &key, lease, wait, &replay);
 *   without a replay, in the transaction:   err = iimg_idempotency_record(context, status, id)
 *   after it, one of:                       iimg_idempotency_record_error, _release, _spoil
 *
 * Without a key in the context, iimg_idempotency_record does nothing.
 */

/** HTTP statuses that are recorded with a row. */
#define IIMG_STATUS_OK      200
#define IIMG_STATUS_CREATED 201

/**
 * Reserve an idempotency key, or find the outcome of the request that used it before. Waits for a
 * request in progress.
 * @param key    must live as long as the context, which refers to it from now on
 * @param lease  seconds until other requests may assume that this one died
 * @param wait   longest time to wait
 * @param replay NULL: do the work; else send this response again
 * Errors: IIMG_REFUSED when the key was used for another request, IIMG_CONFLICT when the request in
 * progress did not end in time.
 */
iimg_error_t *iimg_idempotency_begin(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                     int lease, apr_interval_time_t wait,
                                     const iimg_idempotency_outcome_t **replay);

/**
 * Record the row that the request creates or changes, within the same transaction.
 * @param status HTTP status of the response; 0: not known yet
 * Errors: IIMG_CONFLICT when another request has taken the key over.
 */
iimg_error_t *iimg_idempotency_record(iimg_context_t *context, int status, const char *id);

/** The error of a replay whose row has been deleted. */
iimg_error_t *iimg_idempotency_gone(iimg_context_t *context);

/** Record the error response, which repeated requests receive, too. */
void iimg_idempotency_record_error(iimg_context_t *context, int status, const iimg_error_t *cause);

/** Release the key: a repeated request does the work. */
void iimg_idempotency_release(iimg_context_t *context);

/** Record an error that happened after the row was committed. */
void iimg_idempotency_spoil(iimg_context_t *context, const iimg_error_t *cause);

#endif
