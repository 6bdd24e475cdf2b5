/* idempotency_key.h - what came of requests that may be sent again: rows of idempotency_keys. */
#ifndef IIMG_MODELS_IDEMPOTENCY_KEY_H
#define IIMG_MODELS_IDEMPOTENCY_KEY_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/** One request that works, or wants to, under a key. */
typedef struct iimg_idempotency_key_t {
    const char *user_id;
    const char *key;
    const char *fingerprint; /* what the request says, in hex */
    const char *claim;       /* a UUID of this request's own */
} iimg_idempotency_key_t;

/** What is known of a key's request. */
typedef struct iimg_idempotency_outcome_t {
    const char *fingerprint;
    int status;               /* HTTP status; 0: still under way */
    const char *resource_id;  /* the row it made, or NULL */
    const char *error_detail; /* the sentence it answered, or NULL */
    const char *error_code;   /* or NULL */
    const char *error_field;  /* or NULL */
} iimg_idempotency_outcome_t;

/**
 * Take the key, when it is free: unknown, a day old, or its request died and left no job.
 * @param lease   seconds until others may think this request dead
 * @param claimed false: it is another's
 */
iimg_error_t *iimg_idempotency_key_claim(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         int lease, bool *claimed);

/** Read what came of it. @param outcome NULL when the key is free again */
iimg_error_t *iimg_idempotency_key_read(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                        iimg_idempotency_outcome_t **outcome);

/**
 * Note what came of the request, once; a status that is there already stays.
 * @param outcome status 0: not known yet, but the row
 * @param held    false: the key is not this request's any more
 */
iimg_error_t *iimg_idempotency_key_record(iimg_context_t *context,
                                          const iimg_idempotency_key_t *key,
                                          const iimg_idempotency_outcome_t *outcome, bool *held);

/** Note what went wrong after the status was recorded. */
iimg_error_t *iimg_idempotency_key_spoil(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         const char *detail);

/** Give the key back, unless a status is recorded. */
iimg_error_t *iimg_idempotency_key_release(iimg_context_t *context,
                                           const iimg_idempotency_key_t *key);

/** Forget keys that are a day old, some at a time. @param count how many */
iimg_error_t *iimg_idempotency_key_expire(iimg_context_t *context, int *count);

#endif
