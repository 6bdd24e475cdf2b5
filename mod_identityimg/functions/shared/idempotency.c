/* idempotency.c - run a request once, even if it is sent repeatedly with one Idempotency-Key. */
#include "functions/shared/idempotency.h"

#include <string.h>
#include <apr_strings.h>
#include "base/log.h"

#define FIRST_PAUSE   (APR_USEC_PER_SEC / 50)
#define LONGEST_PAUSE (APR_USEC_PER_SEC / 2)

static iimg_error_t *key_reused(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_REFUSED, "idempotency_key_reused",
                                "This Idempotency-Key was used for another request. "
                                "Send a new key with a new request.");
}

static iimg_error_t *key_in_use(iimg_context_t *context)
{
    return iimg_error_retry(
        iimg_error_with_code(context->pool, IIMG_CONFLICT, "idempotency_key_in_use",
                             "A request with this Idempotency-Key is in progress. "
                             "Retry in a moment."),
        1);
}

/* Sets *claimed if the caller does the work, or *outcome if there is a response to send again. */
static iimg_error_t *claim_or_read(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                   int lease, bool *claimed, iimg_idempotency_outcome_t **outcome)
{
    iimg_error_t *err = iimg_idempotency_key_claim(context, key, lease, claimed);

    *outcome = NULL;
    if (err || *claimed) {
        return err;
    }
    err = iimg_idempotency_key_read(context, key, outcome);
    if (err || !*outcome) {
        return err; /* released in the meantime: try again */
    }
    if (strcmp((*outcome)->fingerprint, key->fingerprint) != 0) {
        return key_reused(context);
    }
    *outcome = (*outcome)->status ? *outcome : NULL;
    return NULL;
}

iimg_error_t *iimg_idempotency_begin(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                     int lease, apr_interval_time_t wait,
                                     const iimg_idempotency_outcome_t **replay)
{
    apr_time_t deadline = apr_time_now() + wait;
    apr_interval_time_t pause = FIRST_PAUSE;
    iimg_idempotency_outcome_t *outcome;
    bool claimed = false;
    iimg_error_t *err = claim_or_read(context, key, lease, &claimed, &outcome);

    while (!err && !claimed && !outcome) {
        if (apr_time_now() >= deadline) {
            return key_in_use(context);
        }
        apr_sleep(pause);
        pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
        err = claim_or_read(context, key, lease, &claimed, &outcome);
    }
    context->idempotency = claimed ? key : NULL;
    *replay = outcome;
    return err;
}

/* Within the transaction of the row, so that both are committed or neither. */
iimg_error_t *iimg_idempotency_record(iimg_context_t *context, int status, const char *id)
{
    iimg_idempotency_outcome_t outcome = { .status = status, .resource_id = id };
    iimg_error_t *err;
    bool held;

    if (!context->idempotency) {
        return NULL;
    }
    err = iimg_idempotency_key_record(context, context->idempotency, &outcome, &held);
    if (err) {
        return err;
    }
    return held ? NULL : key_in_use(context);
}

iimg_error_t *iimg_idempotency_gone(iimg_context_t *context)
{
    return iimg_error(context->pool, IIMG_GONE,
                      "The row created with this Idempotency-Key has been deleted.");
}

static void log_failure(iimg_context_t *context, const iimg_error_t *err)
{
    if (err) {
        iimg_log(
            context, IIMG_LOG_WARNING,
            "IIMG0120: cannot record or release an idempotency key, which stays in use until its "
            "lease expires: %s",
            err->detail ? err->detail : err->message);
    }
}

void iimg_idempotency_release(iimg_context_t *context)
{
    log_failure(context, iimg_idempotency_key_release(context, context->idempotency));
}

void iimg_idempotency_record_error(iimg_context_t *context, int status, const iimg_error_t *cause)
{
    bool held;

    log_failure(context, iimg_idempotency_key_record(
                             context, context->idempotency,
                             &(iimg_idempotency_outcome_t){ .status = status,
                                                            .error_detail = cause->message,
                                                            .error_code = cause->code,
                                                            .error_field = cause->field },
                             &held));
}

void iimg_idempotency_spoil(iimg_context_t *context, const iimg_error_t *cause)
{
    log_failure(context, iimg_idempotency_key_spoil(context, context->idempotency, cause->message));
}
