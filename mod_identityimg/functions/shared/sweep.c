/* sweep.c - delete what is doomed: from the store first, then from the manifest. */
#include "functions/shared/shared.h"

#include "base/fault.h"
#include "base/log.h"
#include "models/stored_object.h"

#define AT_ONCE 20
#define PATIENCE 3      /* failures one after the other that say that the store itself is away */

static bool remove_one(iimg_context_t *context, const char *key, bool again)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->remove(context, storage, key, again);

    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0102: %s could not be deleted yet: %s", key,
                 err->detail ? err->detail : err->message);
    }
    return err == NULL;
}

/* The manifest forgets what is gone from the disk, not from its cache alone. */
static iimg_error_t *forget(iimg_context_t *context, const iimg_claim_t *claim,
                            const apr_array_header_t *gone)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->settle ? storage->driver->settle(context, storage, gone)
                                                : NULL;

    (void)IIMG_FAULT("sweep.removed");
    return err ? err : iimg_stored_object_forget(context, claim, gone);
}

/* @return how many are gone; *away: the store does not answer, or the database */
static int sweep_claimed(iimg_context_t *context, const iimg_claim_t *claim, int patience,
                         bool *away)
{
    apr_array_header_t *gone = apr_array_make(context->pool, claim->keys->nelts + 1,
                                              sizeof(const char *));
    iimg_error_t *err = NULL;
    int failures = 0;

    (void)IIMG_FAULT("sweep.claimed");
    for (int i = 0; i < claim->keys->nelts && failures < patience; i++) {
        const char *key = APR_ARRAY_IDX(claim->keys, i, const char *);

        if (remove_one(context, key, APR_ARRAY_IDX(claim->again, i, bool))) {
            APR_ARRAY_PUSH(gone, const char *) = key;
            failures = 0;
        }
        else {
            failures++;
        }
    }
    if (gone->nelts > 0) {
        err = forget(context, claim, gone);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0103: what was deleted stays in the manifest for "
                 "now: %s", err->detail ? err->detail : err->message);
    }
    (void)IIMG_FAULT("sweep.forgotten");
    *away = err || failures >= patience;
    return err ? 0 : gone->nelts;
}

void iimg_sweep_claim(iimg_context_t *context, const iimg_claim_t *claim)
{
    bool away;

    if (claim->id && claim->keys->nelts > 0) {
        (void)sweep_claimed(context, claim, 1, &away);
    }
}

/* One batch, in memory of its own. @return whether there may be more to do */
static bool sweep_batch(iimg_context_t *context, int *gone)
{
    iimg_context_t batch = *context;
    iimg_claim_t claim = { NULL };
    iimg_error_t *err;
    bool away = true;

    apr_pool_create(&batch.pool, context->pool);
    err = iimg_stored_object_claim_due(&batch, AT_ONCE, &claim);
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0106: nothing could be swept: %s",
                 err->detail ? err->detail : err->message);
    }
    else if (claim.keys->nelts > 0) {
        *gone += sweep_claimed(&batch, &claim, PATIENCE, &away);
    }
    apr_pool_destroy(batch.pool);
    return !away;
}

int iimg_sweep(iimg_context_t *context, apr_interval_time_t time)
{
    apr_time_t end = apr_time_now() + time;
    int gone = 0;

    while (sweep_batch(context, &gone) && apr_time_now() < end) {
        continue;
    }
    return gone;
}
