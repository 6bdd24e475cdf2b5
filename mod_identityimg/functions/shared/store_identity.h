/* store_identity.h - check that the configured store is the one that belongs to the database. */
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

/** Create the guard before threads start. @return NULL when no mutex can be created */
iimg_store_guard_t *iimg_store_guard_create(apr_pool_t *pool);

/**
 * Check that the store's marker has the id in the database before objects are written or deleted.
 * On first use, an empty store or one with the pictures of the database gets a marker. A bucket
 * that does not answer passes if its marker was read before. Errors: IIMG_UNAVAILABLE; its detail
 * has the cause and the remedy, which IIMG0204 logs once.
 */
iimg_error_t *iimg_store_check(iimg_context_t *context);

/** The same, but a store that does not answer is an error. */
iimg_error_t *iimg_store_ready(iimg_context_t *context);

/** The id in a marker. @return NULL: the marker is not valid */
const char *iimg_store_marker_id(apr_pool_t *pool, const char *text);

/** Describe where the store is: "bucket pictures, prefix p/". */
const char *iimg_store_place(apr_pool_t *pool, const struct iimg_storage_t *storage);

/** Write a marker with an id, and read it back. @param found id in the store; NULL: none valid */
iimg_error_t *iimg_store_mark(iimg_context_t *context, const char *id, const char **found);

#endif
