/* reconcile.c - compare the store, the manifest and the rows. */
#include "functions/admin/reconcile.h"

#include <stdlib.h>
#include <string.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include "base/log.h"
#include "models/stored_object.h"

#define AT_ONCE   500
#define MOST_ROWS 100000

typedef struct digest_t {
    unsigned char bytes[APR_MD5_DIGESTSIZE]; /* of a key; clients cannot choose keys */
} digest_t;

typedef struct listed_t {
    iimg_listed_t object;
    bool hidden; /* a delete marker hides it */
} listed_t;

typedef struct work_t {
    iimg_reconciliation_t *result;
    apr_array_header_t *present; /* digest_t: keys that a GET answers */
    apr_pool_t *batch_pool;
    apr_array_header_t *batch; /* listed_t that have not been looked up yet */
    bool hides;                /* the latest version of the current key is a delete marker */
} work_t;

static digest_t digest_key(const char *key)
{
    digest_t digest;

    apr_md5(digest.bytes, key, strlen(key));
    return digest;
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(digest_t));
}

static void report_difference(iimg_reconciliation_t *result, const iimg_difference_t *difference)
{
    result->count[difference->kind]++;
    result->removed += difference->removed;
    result->report(result->baton, difference);
}

static iimg_error_t *is_stored(iimg_context_t *context, const char *key, bool *stored)
{
    const iimg_storage_t *storage = &context->services->storage;

    return storage->driver->has(context, storage, key, stored);
}

/* Objects that the manifest lacks ---------------------------------------------------------
 */

/* A refusal for one object does not predict the next. */
static iimg_error_t *purge(iimg_context_t *context, const iimg_listed_t *object,
                           iimg_difference_t *difference)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->purge(context, storage, object->key, object->version);

    difference->removed = err == NULL;
    if (err && err->one_object) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0210: %s could not be deleted: %s; correct the "
                 "cause, then run reconcile --delete again",
                 object->key, err->detail ? err->detail : err->message);
        return NULL;
    }
    return err;
}

static iimg_error_t *handle_unknown(iimg_context_t *context, iimg_reconciliation_t *result,
                                    const iimg_listed_t *object)
{
    iimg_difference_t difference = { IIMG_UNKNOWN_OBJECT, object->key, object->version };
    iimg_error_t *err = NULL;
    bool stored = true;

    /* Not a difference if it was deleted after it was listed. */
    if (object->latest && !object->deleted) {
        err = is_stored(context, object->key, &stored);
    }
    if (err || !stored) {
        return err;
    }
    difference.young = object->modified > apr_time_now() - apr_time_from_sec(result->min_age);
    if (result->remove && !difference.young) {
        err = purge(context, object, &difference);
    }
    if (err) {
        return err;
    }
    report_difference(result, &difference);
    return NULL;
}

static bool is_among(const apr_array_header_t *keys, const char *key)
{
    for (int i = 0; i < keys->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(keys, i, const char *), key) == 0) {
            return true;
        }
    }
    return false;
}

/* Keys are written once, so that an earlier version is a leftover even of a known key. But a
 * version hidden by a delete marker that is not ours may be the only copy of a picture. */
static bool is_leftover(const listed_t *listed)
{
    return !listed->object.latest && !listed->hidden;
}

static iimg_error_t *compare_batch(iimg_context_t *context, work_t *work)
{
    apr_array_header_t *keys = apr_array_make(context->pool, AT_ONCE, sizeof(const char *));
    apr_array_header_t *unknown;
    iimg_error_t *err;

    for (int i = 0; i < work->batch->nelts; i++) {
        APR_ARRAY_PUSH(keys, const char *) = APR_ARRAY_IDX(work->batch, i, listed_t).object.key;
    }
    err = iimg_stored_object_unknown(context, keys, &unknown);
    for (int i = 0; i < work->batch->nelts && !err; i++) {
        const listed_t *listed = &APR_ARRAY_IDX(work->batch, i, listed_t);

        if (is_leftover(listed) || is_among(unknown, listed->object.key)) {
            err = handle_unknown(context, work->result, &listed->object);
        }
    }
    return err;
}

static iimg_error_t *end_batch(iimg_context_t *context, work_t *work)
{
    iimg_context_t inner = *context;
    iimg_error_t *err;

    inner.pool = work->batch_pool;
    err = work->batch->nelts > 0 ? compare_batch(&inner, work) : NULL;
    if (err) {
        return err;
    }
    apr_pool_clear(work->batch_pool);
    work->batch = apr_array_make(work->batch_pool, AT_ONCE, sizeof(listed_t));
    return NULL;
}

static iimg_error_t *add_listed(iimg_context_t *context, void *baton, const iimg_listed_t *object)
{
    work_t *work = baton;
    listed_t *listed = apr_array_push(work->batch);

    listed->object = *object;
    listed->object.key = apr_pstrdup(work->batch_pool, object->key);
    listed->object.version = apr_pstrdup(work->batch_pool, object->version);
    work->hides = object->latest ? object->deleted : work->hides;
    listed->hidden = work->hides;
    work->result->listed++;
    if (object->latest && !object->deleted) {
        APR_ARRAY_PUSH(work->present, digest_t) = digest_key(object->key);
    }
    return work->batch->nelts == AT_ONCE ? end_batch(context, work) : NULL;
}

static iimg_error_t *compare_store(iimg_context_t *context, work_t *work)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err;

    apr_pool_create(&work->batch_pool, context->pool);
    work->batch = apr_array_make(work->batch_pool, AT_ONCE, sizeof(listed_t));
    err = storage->driver->list(context, storage, add_listed, work);
    if (!err) {
        err = end_batch(context, work);
    }
    if (work->present->nelts > 0) {
        qsort(work->present->elts, (size_t)work->present->nelts, sizeof(digest_t), compare_digests);
    }
    return err;
}

/* Objects that the store lacks ----------------------------------------------------------
 */

static bool is_present(const work_t *work, const char *key)
{
    digest_t digest = digest_key(key);

    return work->present->nelts > 0
           && bsearch(&digest, work->present->elts, (size_t)work->present->nelts, sizeof(digest_t),
                      compare_digests)
                  != NULL;
}

/* It may have been written after its page was listed, or deleted before the manifest was read. */
static iimg_error_t *handle_unlisted(iimg_context_t *context, iimg_reconciliation_t *result,
                                     const iimg_stored_object_t *object)
{
    iimg_difference_t difference = { IIMG_MISSING_OBJECT, object->key };
    const char *state = NULL;
    bool stored;
    iimg_error_t *err = is_stored(context, object->key, &stored);

    if (err || stored) {
        return err;
    }
    err = iimg_stored_object_state(context, object->key, &state);
    if (err) {
        return err;
    }
    if (state) {
        report_difference(result, &difference);
    }
    return NULL;
}

static iimg_error_t *compare_page(iimg_context_t *context, work_t *work, const char *after,
                                  apr_array_header_t **page)
{
    iimg_error_t *err = iimg_stored_object_shown(context, after, AT_ONCE, page);

    for (int i = 0; !err && i < (*page)->nelts; i++) {
        const iimg_stored_object_t *object = &APR_ARRAY_IDX(*page, i, iimg_stored_object_t);

        work->result->shown++;
        if (!is_present(work, object->key)) {
            err = handle_unlisted(context, work->result, object);
        }
    }
    return err;
}

static iimg_error_t *compare_manifest(iimg_context_t *context, work_t *work)
{
    iimg_context_t inner = *context;
    apr_array_header_t *page;
    const char *after = "";
    iimg_error_t *err;

    do {
        apr_pool_create(&inner.pool, context->pool);
        err = compare_page(&inner, work, after, &page);
        if (err) {
            return err;
        }
        if (page->nelts > 0) {
            after = apr_pstrdup(work->batch_pool,
                                APR_ARRAY_IDX(page, page->nelts - 1, iimg_stored_object_t).key);
        }
        page = page->nelts == AT_ONCE ? page : NULL;
        apr_pool_destroy(inner.pool);
    } while (page);
    return NULL;
}

static iimg_error_t *compare_rows(iimg_context_t *context, iimg_reconciliation_t *result)
{
    apr_array_header_t *rows;
    iimg_error_t *err = iimg_stored_object_unbacked(context, MOST_ROWS, &rows);

    for (int i = 0; !err && i < rows->nelts; i++) {
        report_difference(result, &(iimg_difference_t){ IIMG_UNBACKED_ROW,
                                                        APR_ARRAY_IDX(rows, i, const char *) });
    }
    return err;
}

static void ignore_difference(void *baton, const iimg_difference_t *difference)
{
    (void)baton, (void)difference;
}

/* Counts first, so that nothing is deleted from a store of another database. */
static iimg_error_t *refuse_many_unknown(iimg_context_t *context,
                                         const iimg_reconciliation_t *wanted)
{
    iimg_reconciliation_t seen = { .min_age = wanted->min_age, .report = ignore_difference };
    work_t work = { .result = &seen };
    iimg_error_t *err;

    work.present = apr_array_make(context->pool, 1024, sizeof(digest_t));
    err = compare_store(context, &work);
    if (err || seen.count[IIMG_UNKNOWN_OBJECT] * IIMG_RECONCILE_MOST <= seen.listed) {
        return err;
    }
    return iimg_error(context->pool, IIMG_CONFLICT,
                      "%ld of %ld objects in the store are unknown to "
                      "the manifest: more than a tenth. Nothing was deleted. Check that database "
                      "and store belong together; then add --force.",
                      seen.count[IIMG_UNKNOWN_OBJECT], seen.listed);
}

iimg_error_t *iimg_reconcile(iimg_context_t *context, iimg_reconciliation_t *reconciliation)
{
    work_t work = { .result = reconciliation };
    iimg_error_t *err;

    if (reconciliation->remove && !reconciliation->force) {
        err = refuse_many_unknown(context, reconciliation);
        if (err) {
            return err;
        }
    }
    work.present = apr_array_make(context->pool, 1024, sizeof(digest_t));
    err = compare_store(context, &work);
    if (err) {
        return err;
    }
    err = compare_manifest(context, &work);
    if (err) {
        return err;
    }
    return compare_rows(context, reconciliation);
}
