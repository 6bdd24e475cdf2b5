/* idempotency_key.h - outcomes of requests with an Idempotency-Key: rows of idempotency_keys. */
#ifndef IIMG_MODELS_IDEMPOTENCY_KEY_H
#define IIMG_MODELS_IDEMPOTENCY_KEY_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/*
 * A request with a key:
 *
 *     iimg_idempotency_key_claim: if the key is free, this request runs
 *         iimg_idempotency_key_record its outcome, or iimg_idempotency_key_release the key
 *     else iimg_idempotency_key_read: the outcome of the other request
 */

/** A request with a key. */
typedef struct iimg_idempotency_key_t {
    const char *user_id;
    const char *key;
    const char *fingerprint; /* hash of the request, in hex */
    const char *claim;       /* a UUID that identifies this request */
} iimg_idempotency_key_t;

/** The outcome of a key's request. */
typedef struct iimg_idempotency_outcome_t {
    const char *fingerprint;
    int status;               /* HTTP status; 0: still running */
    const char *resource_id;  /* the row that it created, or NULL */
    const char *error_detail; /* the sentence of the response, or NULL */
    const char *error_code;   /* or NULL */
    const char *error_field;  /* or NULL */
} iimg_idempotency_outcome_t;

/**
 * Claim the key if it is free: unknown, a day old, or its lease has expired without a job.
 * @param lease   seconds until the claim of a dead request expires
 * @param claimed false: another request has the key
 */
iimg_error_t *iimg_idempotency_key_claim(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         int lease, bool *claimed);

/** Read the outcome. @param outcome NULL if the key is free again */
iimg_error_t *iimg_idempotency_key_read(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                        iimg_idempotency_outcome_t **outcome);

/**
 * Record the outcome of the request, unless a status is recorded already.
 * @param outcome status 0: only the row is known yet
 * @param held    false: this request has lost the key
 */
iimg_error_t *iimg_idempotency_key_record(iimg_context_t *context,
                                          const iimg_idempotency_key_t *key,
                                          const iimg_idempotency_outcome_t *outcome, bool *held);

/** Record an error that occurred after the status was recorded. */
iimg_error_t *iimg_idempotency_key_spoil(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         const char *detail);

/** Release the key, unless a status is recorded. */
iimg_error_t *iimg_idempotency_key_release(iimg_context_t *context,
                                           const iimg_idempotency_key_t *key);

/** Delete some keys that are a day old. @param count how many */
iimg_error_t *iimg_idempotency_key_expire(iimg_context_t *context, int *count);

#endif
