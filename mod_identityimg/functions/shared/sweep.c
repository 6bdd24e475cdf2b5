/* sweep.c - delete what is doomed: from the store first, then from the manifest. */
#include "functions/shared/shared.h"

#include "base/log.h"
#include "models/stored_object.h"

#define AT_ONCE 20
#define ROUNDS 10       /* a request does not work off more than this for others */

static bool sweep_one(iimg_context_t *context, const char *key)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->remove(context, storage, key);

    if (!err) {
        err = iimg_stored_object_forget(context, key);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0102: %s could not be deleted yet: %s", key,
                 err->detail ? err->detail : err->message);
    }
    return err == NULL;
}

static int sweep_some(iimg_context_t *context)
{
    apr_array_header_t *keys;
    iimg_error_t *err = iimg_stored_object_doomed(context, AT_ONCE, &keys);
    int gone = 0;

    if (err) {
        iimg_log(context, IIMG_LOG_WARNING, "IIMG0103: nothing could be swept: %s", err->detail);
        return 0;
    }
    for (int i = 0; i < keys->nelts; i++) {
        if (!sweep_one(context, APR_ARRAY_IDX(keys, i, const char *))) {
            break;      /* the store or the database is away: the others would fail alike */
        }
        gone++;
    }
    return gone;
}

/* Requests that end together take the same objects first: each goes on until it has seen its own. */
int iimg_sweep(iimg_context_t *context)
{
    int gone = 0, some = AT_ONCE;

    for (int i = 0; i < ROUNDS && some == AT_ONCE; i++) {
        some = sweep_some(context);
        gone += some;
    }
    return gone;
}
