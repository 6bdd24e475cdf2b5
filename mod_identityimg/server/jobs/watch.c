/* watch.c - requests that watch a job: thousands of them, hashed by job. */
#include "server/jobs/watch.h"

#include <string.h>
#include <apr_hash.h>
#include <apr_ring.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "server/database/dbd.h"

#define BUCKETS 1024

struct iimg_watch_t {
    APR_RING_ENTRY(iimg_watch_t) link;
    server_rec *server;
    const char *id;
    int version;
    apr_time_t due; /* 0: never */
    iimg_watch_fn notify;
    void *baton;
};

APR_RING_HEAD(bucket_t, iimg_watch_t);

static struct {
    apr_thread_mutex_t *mutex; /* guards what follows */
    struct bucket_t buckets[BUCKETS];
    int count;
} watches;

apr_status_t iimg_watch_start(apr_pool_t *pchild)
{
    for (int i = 0; i < BUCKETS; i++) {
        APR_RING_INIT(&watches.buckets[i], iimg_watch_t, link);
    }
    watches.count = 0;
    return apr_thread_mutex_create(&watches.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
}

static struct bucket_t *bucket_of(const char *id)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;

    return &watches.buckets[apr_hashfunc_default(id, &length) % BUCKETS];
}

iimg_watch_t *iimg_watch_add(apr_pool_t *pool, server_rec *server, const char *job_id, int version,
                             iimg_watch_fn notify, void *baton)
{
    iimg_watch_t *watch = apr_pcalloc(pool, sizeof(*watch));

    watch->server = server;
    watch->id = apr_pstrdup(pool, job_id);
    watch->version = version;
    watch->notify = notify;
    watch->baton = baton;
    apr_thread_mutex_lock(watches.mutex);
    APR_RING_INSERT_TAIL(bucket_of(watch->id), watch, iimg_watch_t, link);
    watches.count++;
    apr_thread_mutex_unlock(watches.mutex);
    return watch;
}

void iimg_watch_set_due(iimg_watch_t *watch, apr_time_t due)
{
    apr_thread_mutex_lock(watches.mutex);
    watch->due = due;
    apr_thread_mutex_unlock(watches.mutex);
}

void iimg_watch_remove(iimg_watch_t *watch)
{
    apr_thread_mutex_lock(watches.mutex);
    APR_RING_REMOVE(watch, link);
    watches.count--;
    apr_thread_mutex_unlock(watches.mutex);
}

void iimg_watch_notify(const char *job_id, int version, iimg_watch_event_t event)
{
    struct bucket_t *bucket = bucket_of(job_id);
    iimg_watch_t *watch;

    apr_thread_mutex_lock(watches.mutex);
    APR_RING_FOREACH(watch, bucket, iimg_watch_t, link)
    {
        if (strcmp(watch->id, job_id) == 0
            && (version < 0 || (watch->version >= 0 && watch->version != version))) {
            watch->notify(watch->baton, event);
        }
    }
    apr_thread_mutex_unlock(watches.mutex);
}

void iimg_watch_notify_due(apr_time_t now)
{
    iimg_watch_t *watch;

    apr_thread_mutex_lock(watches.mutex);
    for (int i = 0; watches.count && i < BUCKETS; i++) {
        APR_RING_FOREACH(watch, &watches.buckets[i], iimg_watch_t, link)
        {
            if (watch->due && watch->due <= now) {
                watch->due = 0;
                watch->notify(watch->baton, IIMG_WATCH_DUE);
            }
        }
    }
    apr_thread_mutex_unlock(watches.mutex);
}

bool iimg_watch_any(void)
{
    bool any;

    apr_thread_mutex_lock(watches.mutex);
    any = watches.count > 0;
    apr_thread_mutex_unlock(watches.mutex);
    return any;
}

apr_array_header_t *iimg_watch_jobs(apr_pool_t *pool, const char *settings)
{
    apr_array_header_t *ids = apr_array_make(pool, 16, sizeof(const char *));
    iimg_watch_t *watch;

    apr_thread_mutex_lock(watches.mutex);
    for (int i = 0; watches.count && i < BUCKETS; i++) {
        APR_RING_FOREACH(watch, &watches.buckets[i], iimg_watch_t, link)
        {
            if (strcmp(iimg_dbd_settings(pool, watch->server), settings) == 0) {
                APR_ARRAY_PUSH(ids, const char *) = apr_pstrdup(pool, watch->id);
            }
        }
    }
    apr_thread_mutex_unlock(watches.mutex);
    return ids;
}
