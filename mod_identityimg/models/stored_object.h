/* stored_object.h - the manifest: every object in the store has a row here before it is written. */
#ifndef IIMG_STORED_OBJECT_H
#define IIMG_STORED_OBJECT_H

#include <apr_tables.h>
#include "base/context.h"
#include "base/db.h"
#include "base/error.h"

/** Announce keys that are about to be written. @param picture the uuid they share; keys const char * */
iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys);

/**
 * A picture's announced objects become live, within the transaction that shows them. Fails when
 * not exactly `count` of them were still pending: the sweeper has taken them meanwhile.
 * Errors: IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count);

/** Doom a picture's objects that were announced but never became live. */
iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture);

/**
 * Doom what has waited too long: pending for an hour, held past its time.
 */
iimg_error_t *iimg_stored_object_expire(iimg_context_t *context);

/** Some doomed keys, the oldest first. @param keys const char *, at most `limit` */
iimg_error_t *iimg_stored_object_doomed(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys);

/** Forget a doomed key, once the store says it is gone. */
iimg_error_t *iimg_stored_object_forget(iimg_context_t *context, const char *key);

#endif
