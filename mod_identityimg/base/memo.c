/* memo.c - a cache of texts: a table in which each key has one place. */
#include "base/memo.h"

#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_thread_mutex.h>

/* From malloc, freed when another entry replaces it. The text follows the key. */
typedef struct entry_t {
    apr_size_t key_length;
    apr_size_t length;
    char bytes[];
} entry_t;

struct iimg_memo_t {
    apr_thread_mutex_t *mutex;
    unsigned int places;
    entry_t *entries[];
};

static apr_status_t memo_destroy(void *data)
{
    iimg_memo_t *memo = data;

    for (unsigned int i = 0; i < memo->places; i++) {
        free(memo->entries[i]);
    }
    return APR_SUCCESS;
}

iimg_memo_t *iimg_memo_create(apr_pool_t *pool, unsigned int places)
{
    iimg_memo_t *memo = apr_pcalloc(pool, sizeof(*memo) + places * sizeof(*memo->entries));

    memo->places = places;
    if (apr_thread_mutex_create(&memo->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, memo, memo_destroy, apr_pool_cleanup_null);
    return memo;
}

static entry_t **place_of(iimg_memo_t *memo, const void *key, apr_size_t key_length)
{
    apr_ssize_t length = key_length < IIMG_MEMO_TELLING ? (apr_ssize_t)key_length
                                                        : IIMG_MEMO_TELLING;

    return &memo->entries[apr_hashfunc_default(key, &length) & (memo->places - 1)];
}

apr_size_t iimg_memo_recall(iimg_memo_t *memo, const void *key, apr_size_t key_length, void *to,
                            apr_size_t room)
{
    entry_t **place = place_of(memo, key, key_length);
    apr_size_t length = 0;

    apr_thread_mutex_lock(memo->mutex);
    if (*place && (*place)->key_length == key_length && (*place)->length <= room
        && memcmp((*place)->bytes, key, key_length) == 0) {
        length = (*place)->length;
        memcpy(to, (*place)->bytes + key_length, length);
    }
    apr_thread_mutex_unlock(memo->mutex);
    return length;
}

void iimg_memo_keep(iimg_memo_t *memo, const void *key, apr_size_t key_length, const void *text,
                    apr_size_t length)
{
    entry_t **place = place_of(memo, key, key_length), *former;
    entry_t *entry = length ? malloc(sizeof(*entry) + key_length + length) : NULL;

    if (!entry) {
        return;
    }
    entry->key_length = key_length;
    entry->length = length;
    memcpy(entry->bytes, key, key_length);
    memcpy(entry->bytes + key_length, text, length);
    apr_thread_mutex_lock(memo->mutex);
    former = *place;
    *place = entry;
    apr_thread_mutex_unlock(memo->mutex);
    free(former);
}
