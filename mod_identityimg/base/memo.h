/* memo.h - a bounded cache of texts by key, one for each process. */
#ifndef IIMG_BASE_MEMO_H
#define IIMG_BASE_MEMO_H

#include <apr_pools.h>

#define IIMG_MEMO_TELLING 64

/** Shared by threads. Must not be used across a fork. */
typedef struct iimg_memo_t iimg_memo_t;

/**
 * Create a cache. The first IIMG_MEMO_TELLING bytes of a key select its place, which holds the text
 * stored last.
 * @param places number of texts, a power of two
 * @return NULL when the mutex cannot be created
 */
iimg_memo_t *iimg_memo_create(apr_pool_t *pool, unsigned int places);

/**
 * Copy the text of a key.
 * @param key  any bytes; must include everything that the text depends on
 * @param to   room bytes
 * @return the text's length; 0 when there is none, or it does not fit
 */
apr_size_t iimg_memo_recall(iimg_memo_t *memo, const void *key, apr_size_t key_length, void *to,
                            apr_size_t room);

/** Store a copy of a text that is not empty, replacing the text in its place. Does nothing when out
 * of memory. */
void iimg_memo_keep(iimg_memo_t *memo, const void *key, apr_size_t key_length, const void *text,
                    apr_size_t length);

#endif
