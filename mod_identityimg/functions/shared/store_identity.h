/* store_identity.h - whether the configured store is the one that belongs to the database. */
#ifndef IIMG_FUNCTIONS_SHARED_STORE_IDENTITY_H
#define IIMG_FUNCTIONS_SHARED_STORE_IDENTITY_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

struct iimg_storage_t;

/*
 *   start of a process:    storage->guard = iimg_store_guard_create(pool)
 *   before each change:    err = iimg_store_check(context)
 *   readiness:             err = iimg_store_ready(context)
 *
 * Both are called outside transactions, since they may use a connection.
 */

/** The result of the last check of the store; shared by all threads of a process. */
typedef struct iimg_store_guard_t iimg_store_guard_t;

/** Begin, before threads start. @return NULL when there is no mutex */
iimg_store_guard_t *iimg_store_guard_create(apr_pool_t *pool);

/**
 * Whether objects may be written and deleted: the store's marker has the id that the database
 * knows. The first use of a store that is new, or that holds the pictures of the database, marks
 * it. A bucket that does not answer may be tried, once its marker was seen. Errors:
 * IIMG_UNAVAILABLE; its detail has the cause and the remedy, which IIMG0204 logs once.
 */
iimg_error_t *iimg_store_check(iimg_context_t *context);

/** The same, but a store that does not answer is an error. */
iimg_error_t *iimg_store_ready(iimg_context_t *context);

/** The id in a marker. @return NULL: it is none of ours */
const char *iimg_store_marker_id(apr_pool_t *pool, const char *text);

/** Where the store is, for sentences. */
const char *iimg_store_place(apr_pool_t *pool, const struct iimg_storage_t *storage);

/** Write a marker with an id, and read what is there then. @param found NULL: no marker of ours */
iimg_error_t *iimg_store_mark(iimg_context_t *context, const char *id, const char **found);

#endif
