/* idempotency.h - the header Idempotency-Key: a repeated request gets the first one's response.
 *
 *     err = iimg_request_input_once(req, seconds, patience, &input, &replay);
 *     if (replay) { ... answer replay->id ... }
 *     ... create the row ...
 *     iimg_idempotency_settle(context, err), by routes.c
 */
#ifndef IIMG_SERVER_HTTP_IDEMPOTENCY_H
#define IIMG_SERVER_HTTP_IDEMPOTENCY_H

#include "server/http/request.h"

/** The result of an earlier request with the same key. */
typedef struct iimg_replay_t {
    int status;     /* HTTP status of its response */
    const char *id; /* the row, answered in its current state */
    bool spoiled;   /* a later step failed after the row was created */
} iimg_replay_t;

/**
 * Read the body of a request that creates a row, and apply its Idempotency-Key: 1 to 255 visible
 * ASCII characters. The caller must be known.
 * @param input   NULL: ignore the body
 * @param seconds the longest that the work may take
 * @param patience the longest that a concurrent request with the same key waits, in seconds
 * @param replay  NULL: do the work; else answer this. The response has Idempotent-Replayed: true.
 * Errors: as iimg_request_input; the recorded error of an earlier request; IIMG_INVALID for a
 * malformed key; IIMG_REFUSED, IIMG_CONFLICT (see iimg_idempotency_begin).
 */
iimg_error_t *iimg_request_input_once(iimg_request_t *req, int seconds, int patience,
                                      iimg_input_t **input, const iimg_replay_t **replay);

/** Whether a request has an Idempotency-Key. */
bool iimg_request_has_key(const iimg_request_t *req);

/** Record the outcome of a request under its key, or release the key. @param err its outcome */
void iimg_idempotency_settle(iimg_context_t *context, const iimg_error_t *err);

#endif
