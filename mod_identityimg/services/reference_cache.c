/* reference_cache.c - photos as they go out: kept by use, counted, made once however many want
 * them. */
#include "services/reference_cache.h"

#include <stdlib.h>
#include <string.h>
#include <apr_encode.h>
#include <apr_hash.h>
#include <apr_ring.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "services/services.h"

#define PATIENCE apr_time_from_sec(60) /* for another thread that makes it */

/* From malloc: it goes when it must, not when a pool does. */
typedef struct entry_t {
    APR_RING_ENTRY(entry_t) link; /* by last use */
    iimg_reference_cache_t *cache;
    char *key;
    char *data;
    apr_size_t length;
    char *base64;
    apr_size_t base64_length;
    int users;       /* who hold it, and who makes it */
    apr_time_t left; /* when the last of them let it go */
    bool made;
    bool failed; /* to make it; no longer in the hash */
} entry_t;

struct iimg_reference_cache_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    apr_hash_t *entries;
    APR_RING_HEAD(entries_t, entry_t) ring; /* the longest unused first */
    apr_size_t most;
    apr_size_t kept; /* bytes of what nobody holds */
    apr_size_t used; /* bytes of what somebody does */
};

static apr_size_t size_of(const entry_t *entry)
{
    return entry->length + entry->base64_length;
}

static void entry_free(entry_t *entry)
{
    free(entry->key);
    free(entry->data);
    free(entry->base64);
    free(entry);
}

static void forget(iimg_reference_cache_t *cache, entry_t *entry)
{
    apr_hash_set(cache->entries, entry->key, APR_HASH_KEY_STRING, NULL);
    APR_RING_REMOVE(entry, link);
}

static void drop_unused(iimg_reference_cache_t *cache, apr_size_t most, apr_time_t before)
{
    entry_t *entry = APR_RING_FIRST(&cache->ring);

    while (entry != APR_RING_SENTINEL(&cache->ring, entry_t, link)
           && (cache->kept > most || before)) {
        entry_t *next = APR_RING_NEXT(entry, link);

        if (entry->users == 0 && (cache->kept > most || entry->left < before)) {
            cache->kept -= size_of(entry);
            forget(cache, entry);
            entry_free(entry);
        }
        entry = next;
    }
}

static apr_status_t cache_destroy(void *data)
{
    iimg_reference_cache_t *cache = data;

    drop_unused(cache, 0, 0);
    return APR_SUCCESS;
}

iimg_reference_cache_t *iimg_reference_cache_create(apr_pool_t *pool, apr_size_t most)
{
    iimg_reference_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));

    APR_RING_INIT(&cache->ring, entry_t, link);
    cache->entries = apr_hash_make(pool);
    cache->most = most;
    if (apr_thread_mutex_create(&cache->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS
        || apr_thread_cond_create(&cache->changed, pool) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, cache, cache_destroy, apr_pool_cleanup_null);
    return cache;
}

void iimg_reference_cache_expire(iimg_reference_cache_t *cache, apr_time_t now)
{
    apr_thread_mutex_lock(cache->mutex);
    drop_unused(cache, cache->most, now - apr_time_from_sec(IIMG_REFERENCE_AGE));
    apr_thread_mutex_unlock(cache->mutex);
}

apr_size_t iimg_reference_cache_used(iimg_reference_cache_t *cache)
{
    apr_size_t used;

    apr_thread_mutex_lock(cache->mutex);
    used = cache->used;
    apr_thread_mutex_unlock(cache->mutex);
    return used;
}

/* Holding ------------------------------------------------------------------------------------- */

static apr_status_t let_go(void *data)
{
    entry_t *entry = data;
    iimg_reference_cache_t *cache = entry->cache;
    bool last, failed;

    apr_thread_mutex_lock(cache->mutex);
    last = --entry->users == 0;
    failed = entry->failed;
    if (last && entry->made) {
        cache->used -= size_of(entry);
        cache->kept += size_of(entry);
        APR_RING_REMOVE(entry, link);
        APR_RING_INSERT_TAIL(&cache->ring, entry, entry_t, link);
        entry->left = apr_time_now();
        drop_unused(cache, cache->most, 0);
    }
    apr_thread_mutex_unlock(cache->mutex);
    if (last && failed) {
        entry_free(entry);
    }
    return APR_SUCCESS;
}

static entry_t *entry_create(iimg_reference_cache_t *cache, const char *key)
{
    entry_t *entry = calloc(1, sizeof(*entry));

    if (!entry || !(entry->key = strdup(key))) {
        free(entry);
        return NULL;
    }
    entry->cache = cache;
    entry->users = 1;
    apr_hash_set(cache->entries, entry->key, APR_HASH_KEY_STRING, entry);
    APR_RING_INSERT_TAIL(&cache->ring, entry, entry_t, link);
    return entry;
}

/* The entry, held; *ours when it is this thread that must make it. NULL: no memory. */
static entry_t *take(iimg_reference_cache_t *cache, const char *key, bool *ours)
{
    entry_t *entry;

    apr_thread_mutex_lock(cache->mutex);
    entry = apr_hash_get(cache->entries, key, APR_HASH_KEY_STRING);
    *ours = entry == NULL;
    if (!entry) {
        entry = entry_create(cache, key);
    }
    else {
        if (entry->made && entry->users == 0) {
            cache->kept -= size_of(entry);
            cache->used += size_of(entry);
        }
        entry->users++;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return entry;
}

/* @return whether it was made in time */
static bool await(iimg_reference_cache_t *cache, const entry_t *entry)
{
    apr_time_t deadline = apr_time_now() + PATIENCE, now;
    bool made;

    apr_thread_mutex_lock(cache->mutex);
    while (!entry->made && !entry->failed && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(cache->changed, cache->mutex, deadline - now);
    }
    made = entry->made;
    apr_thread_mutex_unlock(cache->mutex);
    return made;
}

static void settle(iimg_reference_cache_t *cache, entry_t *entry, bool made)
{
    apr_thread_mutex_lock(cache->mutex);
    if (made) {
        entry->made = true;
        cache->used += size_of(entry);
    }
    else {
        entry->failed = true;
        forget(cache, entry);
    }
    apr_thread_cond_broadcast(cache->changed);
    apr_thread_mutex_unlock(cache->mutex);
}

/* Making -------------------------------------------------------------------------------------- */

static iimg_error_t *make(iimg_context_t *context, const char *key, iimg_derivative_t *jpeg)
{
    const iimg_services_t *services = context->services;
    iimg_bytes_t bytes = { .file = -1 };
    iimg_error_t *err = services->storage.driver->get(
        context, &services->storage, key, services->max_object, &bytes.data, &bytes.length);

    return err ? err
               : iimg_image_reference(context, &services->pictures, &bytes,
                                      services->reference_side, jpeg);
}

static bool fill(entry_t *entry, const iimg_derivative_t *jpeg)
{
    apr_ssize_t length = (apr_ssize_t)jpeg->length;
    apr_size_t room;

    if (apr_encode_base64_binary(NULL, NULL, length, APR_ENCODE_NONE, &room) != APR_SUCCESS) {
        return false;
    }
    entry->length = jpeg->length;
    entry->data = malloc(jpeg->length);
    entry->base64 = malloc(room);
    if (!entry->data || !entry->base64) {
        return false;
    }
    memcpy(entry->data, jpeg->data, jpeg->length);
    return apr_encode_base64_binary(entry->base64, (const unsigned char *)jpeg->data, length,
                                    APR_ENCODE_NONE, &entry->base64_length)
           == APR_SUCCESS;
}

static iimg_error_t *no_memory(iimg_context_t *context)
{
    return iimg_error_detail(
        iimg_error(context->pool, IIMG_UNAVAILABLE, "The server is out of memory at the moment."),
        "a reference image could not be kept");
}

static iimg_error_t *make_entry(iimg_context_t *context, iimg_reference_cache_t *cache,
                                entry_t *entry)
{
    iimg_context_t inner = *context; /* megabytes that end with it */
    iimg_derivative_t jpeg;
    iimg_error_t *err;

    apr_pool_create(&inner.pool, context->pool);
    apr_pool_tag(inner.pool, "reference");
    err = make(&inner, entry->key, &jpeg);
    if (!err && !fill(entry, &jpeg)) {
        err = no_memory(&inner);
    }
    settle(cache, entry, err == NULL);
    if (err) {
        const iimg_error_t *cause = err;

        err = iimg_error(context->pool, cause->kind, "%s", cause->message);
        err->code = cause->code;
        err->retry_after = cause->retry_after;
        err = cause->detail ? iimg_error_detail(err, "%s", cause->detail) : err;
    }
    apr_pool_destroy(inner.pool);
    return err;
}

static iimg_error_t *load_uncached(iimg_context_t *context, const char *key,
                                   iimg_generator_reference_t *reference)
{
    iimg_derivative_t jpeg;
    iimg_error_t *err = make(context, key, &jpeg);

    if (!err) {
        *reference = (iimg_generator_reference_t){ jpeg.data, jpeg.length, "image/jpeg", NULL, 0 };
    }
    return err;
}

iimg_error_t *iimg_reference_load(iimg_context_t *context, apr_pool_t *pool, const char *key,
                                  iimg_generator_reference_t *reference)
{
    iimg_reference_cache_t *cache = context->services->references;
    iimg_error_t *err = NULL;
    entry_t *entry;
    bool ours;

    if (!cache) {
        return load_uncached(context, key, reference);
    }
    entry = take(cache, key, &ours);
    if (!entry) {
        return no_memory(context);
    }
    apr_pool_cleanup_register(pool, entry, let_go, apr_pool_cleanup_null);
    if (ours) {
        err = make_entry(context, cache, entry);
    }
    else if (!await(cache, entry)) {
        err = load_uncached(context, key, reference);
        return err;
    }
    if (!err) {
        *reference = (iimg_generator_reference_t){ entry->data, entry->length, "image/jpeg",
                                                   entry->base64, entry->base64_length };
    }
    return err;
}
