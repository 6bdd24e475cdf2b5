/* reference_cache.h - a cache of photos in the form that is sent to providers. */
#ifndef IIMG_SERVICES_REFERENCE_CACHE_H
#define IIMG_SERVICES_REFERENCE_CACHE_H

#include "base/context.h"
#include "base/error.h"
#include "services/generator/generator.h"

/** Shared by the threads of a process. Entries never become stale, since objects never change. */
typedef struct iimg_reference_cache_t iimg_reference_cache_t;

/**
 * Create a cache, after the last fork.
 * @param most bytes of unused entries; 0: none
 * @return NULL if there is no mutex
 */
iimg_reference_cache_t *iimg_reference_cache_create(apr_pool_t *pool, apr_size_t most);

/** Seconds after which unused entries expire: photos of people must not stay in memory. */
#define IIMG_REFERENCE_AGE 60

/** Remove entries that were unused for IIMG_REFERENCE_AGE. Must be called regularly. */
void iimg_reference_cache_expire(iimg_reference_cache_t *cache, apr_time_t now);

/** @return the bytes of entries in use */
apr_size_t iimg_reference_cache_used(iimg_reference_cache_t *cache);

/**
 * Get a photo from the cache, or read it from the store and convert it: upright, bounded, a JPEG in
 * sRGB. Concurrent calls for the same photo wait for the first one.
 * @param key       of the original
 * @param pool      holds the entry until it is destroyed
 * @param reference data and base64
 * Errors: as iimg_image_reference and the store's `get`.
 */
iimg_error_t *iimg_reference_load(iimg_context_t *context, apr_pool_t *pool, const char *key,
                                  iimg_generator_reference_t *reference);

#endif
