/* memo.h - texts that took some making, remembered by key for a while: a process' own, bounded. */
#ifndef IIMG_BASE_MEMO_H
#define IIMG_BASE_MEMO_H

#include <apr_pools.h>

#define IIMG_MEMO_TELLING 64

/** Shared by threads; must not be carried over a fork. */
typedef struct iimg_memo_t iimg_memo_t;

/**
 * Each key has one place, which its first IIMG_MEMO_TELLING bytes say; the last text that was kept
 * there has it.
 * @param places how many texts at most, a power of two
 * @return lives as long as the pool; NULL when there is no mutex
 */
iimg_memo_t *iimg_memo_create(apr_pool_t *pool, unsigned int places);

/**
 * Copy what was kept under a key.
 * @param key  any bytes; all of them must say all that the text depends on
 * @param to   room bytes
 * @return the text's length; 0 when nothing is kept, or it does not fit
 */
apr_size_t iimg_memo_recall(iimg_memo_t *memo, const void *key, apr_size_t key_length, void *to,
                            apr_size_t room);

/** Keep a copy of a text, which is not empty, in place of what has its place. Nothing is kept when
 * memory is short. */
void iimg_memo_keep(iimg_memo_t *memo, const void *key, apr_size_t key_length, const void *text,
                    apr_size_t length);

#endif
