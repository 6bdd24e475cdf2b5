/* sweep.c - delete what is doomed: from the store first, then from the manifest. */
#include "functions/shared/sweep.h"

#include <string.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "functions/shared/store_identity.h"
#include "models/stored_object.h"
#include "services/services.h"

#define AT_ONCE     20
#define PATIENCE    3 /* failures one after the other that say that the store itself is away */
#define ROUNDS      3 /* in which one sweep comes back to what failed, after 0.5, 1, 2 seconds */
#define FIRST_PAUSE apr_time_from_msec(500)

/* An object that we have claimed. */
typedef struct doomed_t {
    const char *key, *claim;
    bool again;      /* it may have been tried before */
    bool gone;       /* from the store */
    bool away;       /* the store as a whole seems unavailable: other objects would fail, too */
    const char *why; /* it is not; NULL: it was not tried */
} doomed_t;

typedef struct sweep_t {
    iimg_context_t *context;
    apr_time_t end;
    apr_array_header_t *left; /* doomed_t, AT_ONCE at most: to come back to */
    int gone, given_up;       /* objects */
    bool store_away;
} sweep_t;

static apr_array_header_t *doomed_of(iimg_context_t *context, const iimg_claim_t *claim)
{
    apr_array_header_t *doomed = apr_array_make(context->pool, claim->keys->nelts + 1,
                                                sizeof(doomed_t));

    for (int i = 0; i < claim->keys->nelts; i++) {
        APR_ARRAY_PUSH(doomed, doomed_t) = (doomed_t){ APR_ARRAY_IDX(claim->keys, i, const char *),
                                                       claim->id,
                                                       APR_ARRAY_IDX(claim->again, i, bool),
                                                       false,
                                                       false,
                                                       NULL };
    }
    return doomed;
}

/* From the store ------------------------------------------------------------------------------- */

static void remove_one(iimg_context_t *context, doomed_t *one)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->remove(context, storage, one->key, one->again);

    one->again = true;
    one->gone = err == NULL;
    one->away = err && !err->one_object;
    one->why = !err ? NULL : err->detail ? err->detail : err->message;
}

/* A refusal for one object does not predict the next.
 * @return false: too many calls in a row got no answer; the store counts as unavailable, the rest
 * is not tried */
static bool remove_all(iimg_context_t *context, apr_array_header_t *doomed, int patience)
{
    int failures = 0;

    for (int i = 0; i < doomed->nelts && failures < patience; i++) {
        doomed_t *one = &APR_ARRAY_IDX(doomed, i, doomed_t);

        remove_one(context, one);
        failures = one->away ? failures + 1 : 0;
    }
    (void)IIMG_FAULT("sweep.removed");
    return failures < patience;
}

/* From the manifest ---------------------------------------------------------------------------- */

/* What is gone and has one claim. @return how many */
static int forget_claim(iimg_context_t *context, const apr_array_header_t *doomed, int first)
{
    const char *claim = APR_ARRAY_IDX(doomed, first, doomed_t).claim;
    apr_array_header_t *keys = apr_array_make(context->pool, doomed->nelts, sizeof(const char *));
    const iimg_claim_t gone = { claim, keys, NULL };
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err;

    for (int i = first; i < doomed->nelts; i++) {
        const doomed_t *one = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (one->gone && strcmp(one->claim, claim) == 0) {
            APR_ARRAY_PUSH(keys, const char *) = one->key;
        }
    }
    /* The manifest forgets what is gone from the disk, not from its cache alone. */
    err = storage->driver->settle ? storage->driver->settle(context, storage, keys) : NULL;
    if (!err) {
        err = iimg_stored_object_forget(context, &gone, keys);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0103: what was deleted stays in the manifest for "
                 "now: %s",
                 err->detail ? err->detail : err->message);
    }
    return err ? -1 : keys->nelts;
}

static bool is_first_of_claim(const apr_array_header_t *doomed, int index)
{
    const doomed_t *one = &APR_ARRAY_IDX(doomed, index, doomed_t);

    for (int i = 0; i < index; i++) {
        const doomed_t *before = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (before->gone && strcmp(before->claim, one->claim) == 0) {
            return false;
        }
    }
    return one->gone;
}

/* An object that is missing below an empty mount point, or in a foreign store, was not deleted. */
static void doubt_gone(iimg_context_t *context, const apr_array_header_t *doomed)
{
    iimg_error_t *err = iimg_store_check(context);

    for (int i = 0; err && i < doomed->nelts; i++) {
        doomed_t *one = &APR_ARRAY_IDX(doomed, i, doomed_t);

        one->why = one->gone ? err->detail : one->why;
        one->gone = false;
    }
}

/* @return how many are forgotten; -1: the database is away */
static int forget_all(iimg_context_t *context, const apr_array_header_t *doomed)
{
    int forgotten = 0;

    doubt_gone(context, doomed);
    for (int i = 0; i < doomed->nelts && forgotten >= 0; i++) {
        int some = is_first_of_claim(doomed, i) ? forget_claim(context, doomed, i) : 0;

        forgotten = some < 0 ? -1 : forgotten + some;
    }
    (void)IIMG_FAULT("sweep.forgotten");
    return forgotten;
}

/* What stays ----------------------------------------------------------------------------------- */

/* It is due again after its claim. @return how many */
static int give_up(iimg_context_t *context, const apr_array_header_t *doomed)
{
    int failed = 0, untried = 0;

    for (int i = 0; i < doomed->nelts; i++) {
        const doomed_t *one = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (one->why) {
            failed++;
            iimg_log(context, IIMG_LOG_WARNING, "IIMG0102: %s could not be deleted yet: %s",
                     one->key, one->why);
        }
        else if (!one->gone) {
            untried++;
        }
    }
    if (untried) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0107: %d more objects were to be deleted and "
                 "wait, since the picture store seems to be away",
                 untried);
    }
    return failed + untried;
}

/* Of a batch: what does not go at once may do so in a moment. */
static void keep_left(sweep_t *sweep, const apr_array_header_t *doomed)
{
    apr_pool_t *pool = sweep->context->pool;
    apr_array_header_t *more = apr_array_make(pool, 1, sizeof(doomed_t));

    for (int i = 0; i < doomed->nelts; i++) {
        doomed_t one = APR_ARRAY_IDX(doomed, i, doomed_t);

        if (!one.gone) {
            one.key = apr_pstrdup(pool, one.key);
            one.claim = apr_pstrdup(pool, one.claim);
            one.why = apr_pstrdup(pool, one.why);
            APR_ARRAY_PUSH(sweep->left->nelts < AT_ONCE ? sweep->left : more, doomed_t) = one;
        }
    }
    sweep->given_up += give_up(sweep->context, more);
}

static void drop_gone(apr_array_header_t *doomed)
{
    int kept = 0;

    for (int i = 0; i < doomed->nelts; i++) {
        doomed_t one = APR_ARRAY_IDX(doomed, i, doomed_t);

        if (!one.gone) {
            APR_ARRAY_IDX(doomed, kept++, doomed_t) = one;
        }
    }
    doomed->nelts = kept;
}

static apr_uint32_t ends; /* atomic: this process does */

void iimg_sweep_stop(void)
{
    apr_atomic_set32(&ends, 1);
}

static bool has_time(const sweep_t *sweep, apr_interval_time_t needed)
{
    return !apr_atomic_read32(&ends) && apr_time_now() + needed < sweep->end;
}

/* Transient failures are retried within the sweep. Objects that are refused again wait until their
 * claim ends. @return whether the store answers */
static bool come_back(sweep_t *sweep)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    bool answers = !sweep->store_away;
    int gone = 0;

    for (int round = 0;
         round < ROUNDS && gone >= 0 && sweep->left->nelts > 0 && has_time(sweep, pause);
         round++, pause *= 2) {
        iimg_log(sweep->context, IIMG_LOG_DEBUG,
                 "%d objects that could not be deleted are tried "
                 "again in %d ms",
                 sweep->left->nelts, (int)apr_time_as_msec(pause));
        apr_sleep(pause);
        answers = remove_all(sweep->context, sweep->left, PATIENCE);
        gone = forget_all(sweep->context, sweep->left);
        sweep->gone += gone > 0 ? gone : 0;
        drop_gone(sweep->left);
    }
    return answers && gone >= 0;
}

/* All ------------------------------------------------------------------------------------------ */

void iimg_sweep_claim(iimg_context_t *context, const iimg_claim_t *claim)
{
    apr_array_header_t *doomed;

    if (!claim->id || claim->keys->nelts == 0 || iimg_store_check(context)) {
        return; /* they are due again after their claim */
    }
    doomed = doomed_of(context, claim);
    (void)IIMG_FAULT("sweep.claimed");
    (void)remove_all(context, doomed, 1);
    (void)forget_all(context, doomed);
    (void)give_up(context, doomed);
}

/* One batch, in memory of its own. @return whether there may be more to do */
static bool sweep_batch(sweep_t *sweep)
{
    iimg_context_t batch = *sweep->context;
    iimg_claim_t claim = { NULL };
    iimg_error_t *err;
    int gone = -1;

    apr_pool_create(&batch.pool, sweep->context->pool);
    err = iimg_stored_object_claim_due(&batch, AT_ONCE, &claim);
    if (err) {
        iimg_log(&batch, IIMG_LOG_WARNING, "IIMG0106: nothing could be swept: %s",
                 err->detail ? err->detail : err->message);
    }
    else if (claim.keys->nelts > 0) {
        apr_array_header_t *doomed = doomed_of(&batch, &claim);

        (void)IIMG_FAULT("sweep.claimed");
        sweep->store_away = !remove_all(&batch, doomed, PATIENCE);
        gone = forget_all(&batch, doomed);
        sweep->gone += gone > 0 ? gone : 0;
        keep_left(sweep, doomed);
    }
    apr_pool_destroy(batch.pool);
    return gone >= 0 && !sweep->store_away;
}

int iimg_sweep(iimg_context_t *context, apr_interval_time_t time, int *left)
{
    sweep_t sweep = { context,
                      apr_time_now() + time,
                      apr_array_make(context->pool, AT_ONCE, sizeof(doomed_t)),
                      0,
                      0,
                      false };

    *left = 0;
    if (iimg_store_check(context)) {
        return 0;
    }
    do {
        sweep.store_away = false;
        while (sweep_batch(&sweep) && has_time(&sweep, 0)) {
            continue;
        }
    } while (come_back(&sweep) && sweep.store_away && has_time(&sweep, 0));
    *left = sweep.given_up + give_up(context, sweep.left);
    return sweep.gone;
}
