/* stored_object.h - the manifest of the picture store: rows of stored_objects. */
#ifndef IIMG_MODELS_STORED_OBJECT_H
#define IIMG_MODELS_STORED_OBJECT_H

#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/*
 * Every object of the store has a row here, from before it is written until after it is deleted:
 *
 *     pending   announced, possibly being written          iimg_stored_object_announce
 *     live      a row of another table shows it            iimg_stored_object_publish
 *     held      the previous picture of an identity        a trigger
 *     doomed    to be deleted                              a trigger, _abandon or _expire
 *
 * Doomed objects are deleted by the request that doomed them, or by a sweeper:
 *
 *     iimg_stored_object_claim_own or _claim_due, delete the objects, iimg_stored_object_forget
 */

/**
 * Doomed objects that this process deletes. If they are not forgotten, they are due again after a
 * minute, later after up to 15 minutes.
 */
typedef struct iimg_claim_t {
    const char *id;            /* identifies the claim; NULL: nothing is claimed */
    apr_array_header_t *keys;  /* const char * */
    apr_array_header_t *again; /* bool: the key was claimed before */
} iimg_claim_t;

/** Announce keys before they are written. @param picture their uuid @param keys const char * */
iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys);

/**
 * Make a picture's announced objects live, within the transaction that shows them.
 * Errors: IIMG_UNAVAILABLE also if not exactly `count` objects are pending: they have expired.
 */
iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count);

/**
 * Doom and claim a picture's objects that are not live, including those that a sweeper has
 * forgotten while they were being written. Live and held objects do not change.
 */
iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture,
                                         const apr_array_header_t *keys, iimg_claim_t *claim);

/** At the end of a transaction: claim the objects that it has doomed. */
iimg_error_t *iimg_stored_object_claim_own(iimg_context_t *context, iimg_claim_t *claim);

/** Claim some doomed objects that are due, oldest first. */
iimg_error_t *iimg_stored_object_claim_due(iimg_context_t *context, int limit, iimg_claim_t *claim);

/** Doom some objects that were pending for an hour, or whose holding time is over. */
iimg_error_t *iimg_stored_object_expire(iimg_context_t *context);

/** Remove the rows of deleted objects, unless another process has claimed them. */
iimg_error_t *iimg_stored_object_forget(iimg_context_t *context, const iimg_claim_t *claim,
                                        const apr_array_header_t *keys);

/**
 * Make all doomed objects due now, including claimed ones, whose process may have died.
 * @param now the database's time
 */
iimg_error_t *iimg_stored_object_hurry(iimg_context_t *context, const char **now);

/**
 * Count the objects that were doomed by a time and are not deleted.
 * @param time from iimg_stored_object_hurry
 */
iimg_error_t *iimg_stored_object_count_doomed(iimg_context_t *context, const char *time,
                                              long long *count);

/* Comparing with the store ----------------------------------------------------------------------
 */

/** A row of the manifest. */
typedef struct iimg_stored_object_t {
    const char *key;
    const char *state;
} iimg_stored_object_t;

/** List the keys that the manifest does not have. @param unknown const char * */
iimg_error_t *iimg_stored_object_unknown(iimg_context_t *context, const apr_array_header_t *keys,
                                         apr_array_header_t **unknown);

/**
 * List objects that must be in the store (live, held), by key.
 * @param after   the last key of the previous page; "" at first
 * @param objects iimg_stored_object_t, at most `limit`
 */
iimg_error_t *iimg_stored_object_shown(iimg_context_t *context, const char *after, int limit,
                                       apr_array_header_t **objects);

/** List some objects that must be in the store, `limit` at most. @param keys const char * */
iimg_error_t *iimg_stored_object_sample(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys);

/** Read the state of an object. @param state NULL unless it must be in the store */
iimg_error_t *iimg_stored_object_state(iimg_context_t *context, const char *key,
                                       const char **state);

/**
 * List rows whose pictures the manifest does not have completely, as live or held.
 * @param rows const char *, "reference_images <id> <key>"; `limit` at most
 */
iimg_error_t *iimg_stored_object_unbacked(iimg_context_t *context, int limit,
                                          apr_array_header_t **rows);

#endif
