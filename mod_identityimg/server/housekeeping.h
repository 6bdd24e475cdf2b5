/* housekeeping.h - what has to be done from time to time, in one child at a time. */
#ifndef IIMG_SERVER_HOUSEKEEPING_H
#define IIMG_SERVER_HOUSEKEEPING_H

#include "base/context.h"

/**
 * Begin, in a new child, while it has one thread and before iimg_engine_start: when the child ends,
 * the thread that keeps house is waited for, after the engine, and before connections to the
 * database and the store end, which it may hold.
 */
void iimg_housekeeping_start(apr_pool_t *pchild);

/** Check the store once, at the start, so that a new one is marked. @param context of its own */
void iimg_housekeep_store(iimg_context_t *context);

/**
 * Forget what has had its time and sweep the store.
 * @param context of its own
 */
void iimg_housekeep(iimg_context_t *context);

#endif
