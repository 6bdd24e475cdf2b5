/* generation_load.h - how many generations there are, and what they cost: what limits are held
 * against. */
#ifndef IIMG_MODELS_GENERATION_LOAD_H
#define IIMG_MODELS_GENERATION_LOAD_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/** What is asked: how much more there may be. */
typedef struct iimg_generation_wish_t {
    const char *user_id;       /* who asks for a picture */
    const char *expected_cost; /* of it, a decimal */
    int per_day;               /* pictures of a user in 24 hours; 0: any number */
    const char *budget;        /* dollars in 24 hours; NULL: any amount */
} iimg_generation_wish_t;

/** Jobs of all nodes. Seconds are at least 1. */
typedef struct iimg_generation_load_t {
    int running;
    int queued;          /* that wait until they may run */
    int running_of_user; /* that wait or run */
    int seconds;         /* until the first of them has probably ended */
    int seconds_of_user;
    int day_seconds;    /* until the user may have one more; 0: now */
    int budget_seconds; /* until there is money for it; 0: there is; -1: never */
} iimg_generation_load_t;

/** Within a transaction: whoever else asks waits until it ends, so that what is counted stays so.
 */
iimg_error_t *iimg_generation_load_lock(iimg_context_t *context);

/**
 * Count. Of what has ended it counts what may have been paid for.
 */
iimg_error_t *iimg_generation_load_read(iimg_context_t *context, const iimg_generation_wish_t *wish,
                                        iimg_generation_load_t *load);

#endif
