/* idempotency.h - the Idempotency-Key header: who sends a request again gets the answer again. */
#ifndef IIMG_SERVER_HTTP_IDEMPOTENCY_H
#define IIMG_SERVER_HTTP_IDEMPOTENCY_H

#include "server/http/request.h"

/** What an earlier request with the same key made. */
typedef struct iimg_replay_t {
    int status;     /* HTTP status of its answer */
    const char *id; /* the row, to be shown as it is now */
    bool spoiled;   /* something failed after the row was made */
} iimg_replay_t;

/**
 * Read the body of a request that creates, and honour its Idempotency-Key: 1 to 255 visible ASCII
 * characters. The caller must be known.
 * @param input   NULL: the body, if there is one, counts for nothing and is not read
 * @param seconds how long the work may take; a second request waits at most that long, and at most
 *                `patience` seconds
 * @param replay  NULL: go on; else answer what replay says. The answer carries
 *                Idempotent-Replayed: true.
 * Errors: as iimg_request_input; the error that an earlier request was answered; IIMG_INVALID for a
 * key that is none; IIMG_REFUSED, IIMG_CONFLICT (see iimg_idempotency_begin).
 */
iimg_error_t *iimg_request_input_once(iimg_request_t *req, int seconds, int patience,
                                      iimg_input_t **input, const iimg_replay_t **replay);

/** Whether a request has an Idempotency-Key. */
bool iimg_request_has_key(const iimg_request_t *req);

/** Keep or free the key that a request holds, once its work is done. @param err its outcome */
void iimg_idempotency_settle(iimg_context_t *context, const iimg_error_t *err);

#endif
