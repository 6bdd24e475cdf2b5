/* sweep.h - delete doomed objects. */
#ifndef IIMG_FUNCTIONS_SHARED_SWEEP_H
#define IIMG_FUNCTIONS_SHARED_SWEEP_H

#include <apr_time.h>
#include "base/context.h"
#include "models/stored_object.h"

/*
 *   a request:    after COMMIT, iimg_sweep_claim(context, &claim) deletes the objects that its
 *                 transaction doomed and claimed
 *   a timer:      iimg_sweep(context, time, &left) deletes what other processes left behind
 *   shutdown:     iimg_sweep_stop()
 */

/**
 * Delete claimed objects, first from the store, then from the manifest. Call it after COMMIT.
 * Failures are logged; the sweeper retries.
 * @param claim its id is NULL when there is nothing to delete
 */
void iimg_sweep_claim(iimg_context_t *context, const iimg_claim_t *claim);

/**
 * Delete doomed objects that are due, in batches. Several nodes share the work. An object that
 * cannot be deleted is retried at the end of the sweep and then backs off, longer each time; it
 * does not delay other objects.
 * @param time time after which no further batch starts
 * @param left number of objects that are due and could not be deleted
 * @return number of objects deleted
 */
int iimg_sweep(iimg_context_t *context, apr_interval_time_t time, int *left);

/** Start no further batch in this process. Call it from any thread. */
void iimg_sweep_stop(void);

#endif
