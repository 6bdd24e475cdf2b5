/* housekeeping.h - periodic cleanup of the database and the store, in one child at a time. */
#ifndef IIMG_SERVER_HOUSEKEEPING_H
#define IIMG_SERVER_HOUSEKEEPING_H

#include "base/context.h"

/**
 * Register a cleanup that stops housekeeping when the child ends. Call this in a new child, before
 * iimg_engine_start: the cleanup must run after the engine's, and before connections to the
 * database and the store are closed.
 */
void iimg_housekeeping_start(apr_pool_t *pchild);

/** Check the store at start, so that a new one gets its mark. @param context of its own */
void iimg_housekeep_store(iimg_context_t *context);

/** Delete expired rows and sweep the store. @param context of its own */
void iimg_housekeep(iimg_context_t *context);

#endif
