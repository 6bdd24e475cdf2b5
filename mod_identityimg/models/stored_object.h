/* stored_object.h - the manifest: every object in the store has a row here before it is written. */
#ifndef IIMG_MODELS_STORED_OBJECT_H
#define IIMG_MODELS_STORED_OBJECT_H

#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/**
 * Doomed objects that somebody has taken on himself to delete. If he does not, they are due again
 * after a minute, later after up to a quarter of an hour.
 */
typedef struct iimg_claim_t {
    const char *id;            /* tells this claim from all others; NULL: nothing is claimed */
    apr_array_header_t *keys;  /* const char * */
    apr_array_header_t *again; /* bool: that key has been claimed before */
} iimg_claim_t;

/** Announce keys that are about to be written. @param picture the uuid they share; keys const char
 * * */
iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys);

/**
 * A picture's announced objects become live, within the transaction that shows them. Fails when
 * not exactly `count` of them were still pending: the sweeper has taken them meanwhile.
 * Errors: IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count);

/**
 * Doom and claim a picture's objects that never became live, also those that the sweeper has
 * forgotten while they were being written. Harmless for objects that a row shows or holds.
 */
iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture,
                                         const apr_array_header_t *keys, iimg_claim_t *claim);

/** Within a transaction, at its end: claim what it has doomed. */
iimg_error_t *iimg_stored_object_claim_own(iimg_context_t *context, iimg_claim_t *claim);

/** Claim some doomed objects that are due, those first that have waited longest. */
iimg_error_t *iimg_stored_object_claim_due(iimg_context_t *context, int limit, iimg_claim_t *claim);

/**
 * Doom what has waited too long, some at a time: pending for an hour, held past its time.
 */
iimg_error_t *iimg_stored_object_expire(iimg_context_t *context);

/** Forget objects that the store says are gone, unless somebody else has claimed them meanwhile. */
iimg_error_t *iimg_stored_object_forget(iimg_context_t *context, const iimg_claim_t *claim,
                                        const apr_array_header_t *keys);

/**
 * Make all that is doomed due now: what has to wait, and what somebody has claimed, who may have
 * died.
 * @param now the database's time
 */
iimg_error_t *iimg_stored_object_hurry(iimg_context_t *context, const char **now);

/**
 * How many objects are left of what was doomed by then.
 * @param time as iimg_stored_object_hurry has it
 */
iimg_error_t *iimg_stored_object_count_doomed(iimg_context_t *context, const char *time,
                                              long long *count);

/* Comparing with the store ----------------------------------------------------------------------
 */

/** An object as the manifest has it. */
typedef struct iimg_stored_object_t {
    const char *key;
    const char *state;
} iimg_stored_object_t;

/** Which of these keys the manifest does not know. @param unknown const char * */
iimg_error_t *iimg_stored_object_unknown(iimg_context_t *context, const apr_array_header_t *keys,
                                         apr_array_header_t **unknown);

/**
 * Objects that must be in the store (live, held), by key.
 * @param after   the last key of the page before; "" at first
 * @param objects iimg_stored_object_t, at most `limit`
 */
iimg_error_t *iimg_stored_object_shown(iimg_context_t *context, const char *after, int limit,
                                       apr_array_header_t **objects);

/** Some objects that must be in the store, at most `limit`. @param keys const char * */
iimg_error_t *iimg_stored_object_sample(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys);

/** Whether the object still must be in the store. @param state NULL when not */
iimg_error_t *iimg_stored_object_state(iimg_context_t *context, const char *key,
                                       const char **state);

/**
 * Rows whose pictures are not in the manifest as they should be: live, or held for the picture
 * before.
 * @param rows const char *, "reference_images <id> <key>"; at most `limit`
 */
iimg_error_t *iimg_stored_object_unbacked(iimg_context_t *context, int limit,
                                          apr_array_header_t **rows);

#endif
