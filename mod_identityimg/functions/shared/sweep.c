/* sweep.c - delete doomed objects, first from the store, then from the manifest.
 *
 * An object is claimed before it is deleted: a claim has an id and a time at which the object is
 * due again, so that a process that dies or a store that fails needs no other recovery. Only the
 * latest claim of an object may delete its row. Requests delete the objects that they doomed; a
 * watchdog thread of each child and identityimgctl sweep the others, in batches. No transaction is
 * open, and no row is locked, while the store is called. */
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
#define PATIENCE    3 /* consecutive failures after which the store counts as unavailable */
#define ROUNDS      3 /* retries of failed objects in a sweep, after 0.5, 1 and 2 seconds */
#define FIRST_PAUSE apr_time_from_msec(500)

/* An object claimed by this process. */
typedef struct doomed_t {
    const char *key, *claim;
    bool again;      /* an earlier attempt may have deleted it */
    bool gone;       /* deleted from the store */
    bool down;       /* the store itself seems unavailable */
    const char *why; /* the error; NULL: not tried, or deleted */
} doomed_t;

typedef struct sweep_t {
    iimg_context_t *context;
    apr_time_t end;
    apr_array_header_t *left; /* doomed_t to retry, AT_ONCE at most */
    int gone, given_up;       /* objects */
    bool store_down;
} sweep_t;

static apr_array_header_t *list_doomed(iimg_context_t *context, const iimg_claim_t *claim)
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

/* The store ---------------------------------------------------------------------------------- */

static void remove_object(iimg_context_t *context, doomed_t *object)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->remove(context, storage, object->key, object->again);

    object->again = true;
    object->gone = err == NULL;
    object->down = err && !err->one_object;
    object->why = !err ? NULL : err->detail ? err->detail : err->message;
}

/* A refusal for one object does not predict the next.
 * @return false: too many calls in a row got no answer; the store counts as unavailable, the rest
 * is not tried */
static bool remove_all(iimg_context_t *context, apr_array_header_t *doomed, int patience)
{
    int failures = 0;

    for (int i = 0; i < doomed->nelts && failures < patience; i++) {
        doomed_t *object = &APR_ARRAY_IDX(doomed, i, doomed_t);

        remove_object(context, object);
        failures = object->down ? failures + 1 : 0;
    }
    (void)IIMG_FAULT("sweep.removed");
    return failures < patience;
}

/* The manifest ------------------------------------------------------------------------------- */

/* Deletes the rows of the objects that are gone and have the claim of doomed[first].
 * @return their number; -1 on failure */
static int forget_claim(iimg_context_t *context, const apr_array_header_t *doomed, int first)
{
    const char *claim = APR_ARRAY_IDX(doomed, first, doomed_t).claim;
    apr_array_header_t *keys = apr_array_make(context->pool, doomed->nelts, sizeof(const char *));
    const iimg_claim_t gone = { claim, keys, NULL };
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err;

    for (int i = first; i < doomed->nelts; i++) {
        const doomed_t *object = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (object->gone && strcmp(object->claim, claim) == 0) {
            APR_ARRAY_PUSH(keys, const char *) = object->key;
        }
    }
    /* A power failure must not bring a file back after its row was deleted. */
    err = storage->driver->settle ? storage->driver->settle(context, storage, keys) : NULL;
    if (!err) {
        err = iimg_stored_object_forget(context, &gone, keys);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0103: cannot delete the rows of deleted objects: %s; the next sweep retries",
                 err->detail ? err->detail : err->message);
    }
    return err ? -1 : keys->nelts;
}

static bool is_first_of_claim(const apr_array_header_t *doomed, int index)
{
    const doomed_t *object = &APR_ARRAY_IDX(doomed, index, doomed_t);

    for (int i = 0; i < index; i++) {
        const doomed_t *earlier = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (earlier->gone && strcmp(earlier->claim, object->claim) == 0) {
            return false;
        }
    }
    return object->gone;
}

/* An object that is missing from an empty mount point or from a foreign store was not deleted. */
static void verify_gone(iimg_context_t *context, const apr_array_header_t *doomed)
{
    iimg_error_t *err = iimg_store_check(context);

    for (int i = 0; err && i < doomed->nelts; i++) {
        doomed_t *object = &APR_ARRAY_IDX(doomed, i, doomed_t);

        object->why = object->gone ? err->detail : object->why;
        object->gone = false;
    }
}

/* @return number of rows deleted; -1: the database is unavailable */
static int forget_all(iimg_context_t *context, const apr_array_header_t *doomed)
{
    int forgotten = 0;

    verify_gone(context, doomed);
    for (int i = 0; i < doomed->nelts && forgotten >= 0; i++) {
        int some = is_first_of_claim(doomed, i) ? forget_claim(context, doomed, i) : 0;

        forgotten = some < 0 ? -1 : forgotten + some;
    }
    (void)IIMG_FAULT("sweep.forgotten");
    return forgotten;
}

/* Retries -------------------------------------------------------------------------------------- */

/* Logs objects that remain; they are due again when their claim expires. @return their number */
static int give_up(iimg_context_t *context, const apr_array_header_t *doomed)
{
    int failed = 0, untried = 0;

    for (int i = 0; i < doomed->nelts; i++) {
        const doomed_t *object = &APR_ARRAY_IDX(doomed, i, doomed_t);

        if (object->why) {
            failed++;
            iimg_log(context, IIMG_LOG_WARNING,
                     "IIMG0102: cannot delete %s: %s; the sweeper retries", object->key,
                     object->why);
        }
        else if (!object->gone) {
            untried++;
        }
    }
    if (untried) {
        iimg_log(
            context, IIMG_LOG_WARNING,
            "IIMG0107: deletion of %d more objects postponed: the picture store seems unavailable",
            untried);
    }
    return failed + untried;
}

/* Queues the objects of a batch that could not be deleted for a retry within this sweep. */
static void queue_retries(sweep_t *sweep, const apr_array_header_t *doomed)
{
    apr_pool_t *pool = sweep->context->pool;
    apr_array_header_t *more = apr_array_make(pool, 1, sizeof(doomed_t));

    for (int i = 0; i < doomed->nelts; i++) {
        doomed_t object = APR_ARRAY_IDX(doomed, i, doomed_t);

        if (!object.gone) {
            object.key = apr_pstrdup(pool, object.key);
            object.claim = apr_pstrdup(pool, object.claim);
            object.why = apr_pstrdup(pool, object.why);
            APR_ARRAY_PUSH(sweep->left->nelts < AT_ONCE ? sweep->left : more, doomed_t) = object;
        }
    }
    sweep->given_up += give_up(sweep->context, more);
}

static void drop_gone(apr_array_header_t *doomed)
{
    int kept = 0;

    for (int i = 0; i < doomed->nelts; i++) {
        doomed_t object = APR_ARRAY_IDX(doomed, i, doomed_t);

        if (!object.gone) {
            APR_ARRAY_IDX(doomed, kept++, doomed_t) = object;
        }
    }
    doomed->nelts = kept;
}

static apr_uint32_t stopping; /* atomic; this process is shutting down */

void iimg_sweep_stop(void)
{
    apr_atomic_set32(&stopping, 1);
}

static bool has_time(const sweep_t *sweep, apr_interval_time_t needed)
{
    return !apr_atomic_read32(&stopping) && apr_time_now() + needed < sweep->end;
}

/* Retries transient failures within the sweep. Objects that fail again wait until their claim
 * expires.
 * @return whether the store answers */
static bool retry_left(sweep_t *sweep)
{
    apr_interval_time_t pause = FIRST_PAUSE;
    bool answers = !sweep->store_down;
    int gone = 0;

    for (int round = 0;
         round < ROUNDS && gone >= 0 && sweep->left->nelts > 0 && has_time(sweep, pause);
         round++, pause *= 2) {
        iimg_log(sweep->context, IIMG_LOG_DEBUG, "retrying the deletion of %d objects in %d ms",
                 sweep->left->nelts, (int)apr_time_as_msec(pause));
        apr_sleep(pause);
        answers = remove_all(sweep->context, sweep->left, PATIENCE);
        gone = forget_all(sweep->context, sweep->left);
        sweep->gone += gone > 0 ? gone : 0;
        drop_gone(sweep->left);
    }
    return answers && gone >= 0;
}

/* Sweeps ----------------------------------------------------------------------------------------
 */

void iimg_sweep_claim(iimg_context_t *context, const iimg_claim_t *claim)
{
    apr_array_header_t *doomed;

    if (!claim->id || claim->keys->nelts == 0 || iimg_store_check(context)) {
        return; /* they are due again when their claim expires */
    }
    doomed = list_doomed(context, claim);
    (void)IIMG_FAULT("sweep.claimed");
    (void)remove_all(context, doomed, 1);
    (void)forget_all(context, doomed);
    (void)give_up(context, doomed);
}

/* Sweeps one batch, in a pool of its own. @return whether there may be more to do */
static bool sweep_batch(sweep_t *sweep)
{
    iimg_context_t batch = *sweep->context;
    iimg_claim_t claim = { NULL };
    iimg_error_t *err;
    int gone = -1;

    apr_pool_create(&batch.pool, sweep->context->pool);
    err = iimg_stored_object_claim_due(&batch, AT_ONCE, &claim);
    if (err) {
        iimg_log(&batch, IIMG_LOG_WARNING,
                 "IIMG0106: cannot claim objects to delete: %s; the next sweep retries",
                 err->detail ? err->detail : err->message);
    }
    else if (claim.keys->nelts > 0) {
        apr_array_header_t *doomed = list_doomed(&batch, &claim);

        (void)IIMG_FAULT("sweep.claimed");
        sweep->store_down = !remove_all(&batch, doomed, PATIENCE);
        gone = forget_all(&batch, doomed);
        sweep->gone += gone > 0 ? gone : 0;
        queue_retries(sweep, doomed);
    }
    apr_pool_destroy(batch.pool);
    return gone >= 0 && !sweep->store_down;
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
        sweep.store_down = false;
        while (sweep_batch(&sweep) && has_time(&sweep, 0)) {
            continue;
        }
    } while (retry_left(&sweep) && sweep.store_down && has_time(&sweep, 0));
    *left = sweep.given_up + give_up(context, sweep.left);
    return sweep.gone;
}
