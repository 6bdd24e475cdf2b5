/* store_resembles.c - check whether a store without a known marker matches the database. */
#include "functions/shared/store_identity.h"

#include <apr_strings.h>
#include "functions/shared/store_resembles.h"
#include "models/stored_object.h"
#include "services/services.h"

#define SAMPLE 16  /* objects of the manifest to look up in the store */
#define STRAYS 100 /* objects of the store to look up in the manifest */

static iimg_error_t *count_found(iimg_context_t *context, const apr_array_header_t *keys,
                                 int *found)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = NULL;

    *found = 0;
    for (int i = 0; i < keys->nelts && !err; i++) {
        bool there = false;

        err = storage->driver->has(context, storage, APR_ARRAY_IDX(keys, i, const char *), &there);
        *found += there;
    }
    return err;
}

typedef struct strays_t {
    apr_array_header_t *keys;
    iimg_error_t *enough; /* ends the listing */
} strays_t;

static iimg_error_t *add_stray(iimg_context_t *context, void *baton, const iimg_listed_t *object)
{
    strays_t *strays = baton;

    (void)context;
    APR_ARRAY_PUSH(strays->keys, const char *) = apr_pstrdup(strays->keys->pool, object->key);
    return strays->keys->nelts < STRAYS ? NULL : strays->enough;
}

/* @param doubt set when the manifest knows none of the objects found */
static iimg_error_t *check_strays(iimg_context_t *context, const char **doubt)
{
    const iimg_storage_t *storage = &context->services->storage;
    strays_t strays = { apr_array_make(context->pool, STRAYS, sizeof(const char *)),
                        iimg_error(context->pool, IIMG_CONFLICT, "The listing may end.") };
    apr_array_header_t *unknown;
    iimg_error_t *err = storage->driver->list_latest(context, storage, add_stray, &strays);

    if ((err && err != strays.enough) || strays.keys->nelts == 0) {
        return err;
    }
    err = iimg_stored_object_unknown(context, strays.keys, &unknown);
    if (err) {
        return err;
    }
    if (unknown->nelts == strays.keys->nelts) {
        *doubt = apr_psprintf(context->pool,
                              "holds pictures that the database does not know, such "
                              "as %s",
                              APR_ARRAY_IDX(unknown, 0, const char *));
    }
    return NULL;
}

iimg_error_t *iimg_store_resembles(iimg_context_t *context, const char **doubt)
{
    apr_array_header_t *keys;
    int found;
    iimg_error_t *err = iimg_stored_object_sample(context, SAMPLE, &keys);

    *doubt = NULL;
    if (err) {
        return err;
    }
    if (keys->nelts == 0) {
        return check_strays(context, doubt);
    }
    err = count_found(context, keys, &found);
    if (err) {
        return err;
    }
    if (found * 2 < keys->nelts) {
        *doubt = apr_psprintf(context->pool, "holds %d of %d pictures that the database shows",
                              found, keys->nelts);
    }
    return NULL;
}
