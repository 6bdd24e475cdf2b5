/* reference_cache.c - a cache of photos in the form that is sent to providers.
 *
 * Threads of the engine and of httpd call iimg_reference_load, which blocks while a photo is read
 * and converted. The mutex guards the hash, the ring and the counts; it is never held during that
 * work. The thread that creates an entry converts the photo; others wait on `changed`. An entry
 * with users is never freed. Entries are allocated by malloc, so that their memory is freed at
 * once. */
#include "services/reference_cache.h"

#include <stdlib.h>
#include <string.h>
#include <apr_encode.h>
#include <apr_hash.h>
#include <apr_ring.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include "services/services.h"

#define MAX_WAIT apr_time_from_sec(60) /* for another thread that converts the photo */

typedef struct entry_t {
    APR_RING_ENTRY(entry_t) link; /* in the order of last use */
    iimg_reference_cache_t *cache;
    char *key;
    char *data;
    apr_size_t length;
    char *base64;
    apr_size_t base64_length;
    int users;       /* holders, including the thread that makes it */
    apr_time_t left; /* when it became unused */
    bool made;
    bool failed; /* could not be made; removed from the hash */
} entry_t;

struct iimg_reference_cache_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    apr_hash_t *entries;
    APR_RING_HEAD(entries_t, entry_t) ring; /* least recently used first */
    apr_size_t most;
    apr_size_t kept; /* bytes of unused entries */
    apr_size_t used; /* bytes of entries in use */
};

static apr_size_t entry_bytes(const entry_t *entry)
{
    return entry->length + entry->base64_length;
}

static void free_entry(entry_t *entry)
{
    free(entry->key);
    free(entry->data);
    free(entry->base64);
    free(entry);
}

static void remove_entry(iimg_reference_cache_t *cache, entry_t *entry)
{
    apr_hash_set(cache->entries, entry->key, APR_HASH_KEY_STRING, NULL);
    APR_RING_REMOVE(entry, link);
}

static void evict_unused(iimg_reference_cache_t *cache, apr_size_t most, apr_time_t before)
{
    entry_t *entry = APR_RING_FIRST(&cache->ring);

    while (entry != APR_RING_SENTINEL(&cache->ring, entry_t, link)
           && (cache->kept > most || before)) {
        entry_t *next = APR_RING_NEXT(entry, link);

        if (entry->users == 0 && (cache->kept > most || entry->left < before)) {
            cache->kept -= entry_bytes(entry);
            remove_entry(cache, entry);
            free_entry(entry);
        }
        entry = next;
    }
}

static apr_status_t destroy_cache(void *data)
{
    iimg_reference_cache_t *cache = data;

    evict_unused(cache, 0, 0);
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
    apr_pool_cleanup_register(pool, cache, destroy_cache, apr_pool_cleanup_null);
    return cache;
}

void iimg_reference_cache_expire(iimg_reference_cache_t *cache, apr_time_t now)
{
    apr_thread_mutex_lock(cache->mutex);
    evict_unused(cache, cache->most, now - apr_time_from_sec(IIMG_REFERENCE_AGE));
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

/* Entries in use ------------------------------------------------------------------------------ */

static apr_status_t release_entry(void *data)
{
    entry_t *entry = data;
    iimg_reference_cache_t *cache = entry->cache;
    bool last, failed;

    apr_thread_mutex_lock(cache->mutex);
    last = --entry->users == 0;
    failed = entry->failed;
    if (last && entry->made) {
        cache->used -= entry_bytes(entry);
        cache->kept += entry_bytes(entry);
        APR_RING_REMOVE(entry, link);
        APR_RING_INSERT_TAIL(&cache->ring, entry, entry_t, link);
        entry->left = apr_time_now();
        evict_unused(cache, cache->most, 0);
    }
    apr_thread_mutex_unlock(cache->mutex);
    if (last && failed) {
        free_entry(entry);
    }
    return APR_SUCCESS;
}

static entry_t *create_entry(iimg_reference_cache_t *cache, const char *key)
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

/* @param ours set if this thread must make the entry @return the entry, in use; NULL: no memory */
static entry_t *acquire_entry(iimg_reference_cache_t *cache, const char *key, bool *ours)
{
    entry_t *entry;

    apr_thread_mutex_lock(cache->mutex);
    entry = apr_hash_get(cache->entries, key, APR_HASH_KEY_STRING);
    *ours = entry == NULL;
    if (!entry) {
        entry = create_entry(cache, key);
    }
    else {
        if (entry->made && entry->users == 0) {
            cache->kept -= entry_bytes(entry);
            cache->used += entry_bytes(entry);
        }
        entry->users++;
    }
    apr_thread_mutex_unlock(cache->mutex);
    return entry;
}

/* @return whether it was made in time */
static bool wait_for_entry(iimg_reference_cache_t *cache, const entry_t *entry)
{
    apr_time_t deadline = apr_time_now() + MAX_WAIT, now;
    bool made;

    apr_thread_mutex_lock(cache->mutex);
    while (!entry->made && !entry->failed && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(cache->changed, cache->mutex, deadline - now);
    }
    made = entry->made;
    apr_thread_mutex_unlock(cache->mutex);
    return made;
}

static void finish_entry(iimg_reference_cache_t *cache, entry_t *entry, bool made)
{
    apr_thread_mutex_lock(cache->mutex);
    if (made) {
        entry->made = true;
        cache->used += entry_bytes(entry);
    }
    else {
        entry->failed = true;
        remove_entry(cache, entry);
    }
    apr_thread_cond_broadcast(cache->changed);
    apr_thread_mutex_unlock(cache->mutex);
}

/* Making entries ------------------------------------------------------------------------------ */

static iimg_error_t *make_reference(iimg_context_t *context, const char *key,
                                    iimg_derivative_t *jpeg)
{
    const iimg_services_t *services = context->services;
    iimg_bytes_t bytes = { .file = -1 };
    iimg_error_t *err = services->storage.driver->get(
        context, &services->storage, key, services->max_object, &bytes.data, &bytes.length);

    if (err) {
        return err;
    }
    return iimg_image_reference(context, &services->pictures, &bytes, services->reference_side,
                                jpeg);
}

static bool copy_reference(entry_t *entry, const iimg_derivative_t *jpeg)
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

static iimg_error_t *make_memory_error(iimg_context_t *context)
{
    return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, NULL,
                                  "The server is out of memory. Try again later.",
                                  "malloc: no memory for a reference image");
}

static iimg_error_t *make_entry(iimg_context_t *context, iimg_reference_cache_t *cache,
                                entry_t *entry)
{
    iimg_context_t inner = *context; /* with a pool for megabytes of temporary data */
    iimg_derivative_t jpeg;
    iimg_error_t *err;

    apr_pool_create(&inner.pool, context->pool);
    apr_pool_tag(inner.pool, "reference");
    err = make_reference(&inner, entry->key, &jpeg);
    if (!err && !copy_reference(entry, &jpeg)) {
        err = make_memory_error(&inner);
    }
    finish_entry(cache, entry, err == NULL);
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
    iimg_error_t *err = make_reference(context, key, &jpeg);

    if (err) {
        return err;
    }
    *reference = (iimg_generator_reference_t){ jpeg.data, jpeg.length, "image/jpeg", NULL, 0 };
    return NULL;
}

iimg_error_t *iimg_reference_load(iimg_context_t *context, apr_pool_t *pool, const char *key,
                                  iimg_generator_reference_t *reference)
{
    iimg_reference_cache_t *cache = context->services->references;
    entry_t *entry;
    bool ours;

    if (!cache) {
        return load_uncached(context, key, reference);
    }
    entry = acquire_entry(cache, key, &ours);
    if (!entry) {
        return make_memory_error(context);
    }
    apr_pool_cleanup_register(pool, entry, release_entry, apr_pool_cleanup_null);
    if (ours) {
        iimg_error_t *err = make_entry(context, cache, entry);

        if (err) {
            return err;
        }
    }
    else if (!wait_for_entry(cache, entry)) {
        return load_uncached(context, key, reference);
    }
    *reference = (iimg_generator_reference_t){ entry->data, entry->length, "image/jpeg",
                                               entry->base64, entry->base64_length };
    return NULL;
}
