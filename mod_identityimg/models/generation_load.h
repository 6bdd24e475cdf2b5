/* generation_load.h - numbers and costs of generations, for comparing them with limits. */
#ifndef IIMG_MODELS_GENERATION_LOAD_H
#define IIMG_MODELS_GENERATION_LOAD_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

/** A requested generation, and the limits that depend on it. */
typedef struct iimg_generation_wish_t {
    const char *user_id;       /* the requester */
    const char *expected_cost; /* a decimal */
    int per_day;               /* pictures of a user in 24 hours; 0: no limit */
    const char *budget;        /* dollars in 24 hours; NULL: no limit */
} iimg_generation_wish_t;

/** Jobs of all nodes. Seconds are at least 1. */
typedef struct iimg_generation_load_t {
    int running;
    int queued;          /* wait for their turn */
    int running_of_user; /* wait or run */
    int seconds;         /* until the first running one will probably end */
    int seconds_of_user;
    int day_seconds;    /* until the daily limit allows another one; 0: now */
    int budget_seconds; /* until the budget allows it; 0: now; -1: never */
} iimg_generation_load_t;

/** Within a transaction: block other requests until it ends, so that numbers do not change. */
iimg_error_t *iimg_generation_load_lock(iimg_context_t *context);

/** Count running, queued and finished jobs. Of finished ones it counts those that may be billed. */
iimg_error_t *iimg_generation_load_read(iimg_context_t *context, const iimg_generation_wish_t *wish,
                                        iimg_generation_load_t *load);

#endif
