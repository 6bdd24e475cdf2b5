/* housekeeping.h - what has to be done from time to time, in one child at a time. */
#ifndef IIMG_SERVER_HOUSEKEEPING_H
#define IIMG_SERVER_HOUSEKEEPING_H

#include "base/context.h"

/**
 * Forget what has had its time and sweep the store.
 * @param context of its own
 */
void iimg_housekeep(iimg_context_t *context);

#endif
