/* reference_cache.h - photos in the form in which they leave the house, shared by generations of a
 * process. */
#ifndef IIMG_SERVICES_REFERENCE_CACHE_H
#define IIMG_SERVICES_REFERENCE_CACHE_H

#include "base/context.h"
#include "base/error.h"
#include "services/generator/generator.h"

/** Shared by threads. What stands under a key never changes, so nothing here gets old. */
typedef struct iimg_reference_cache_t iimg_reference_cache_t;

/**
 * @param most bytes that are kept beyond what is in use; 0: none
 * @return NULL when there is no mutex; must not be carried over a fork
 */
iimg_reference_cache_t *iimg_reference_cache_create(apr_pool_t *pool, apr_size_t most);

/** Seconds after which what nobody has used is forgotten: these are people's faces. */
#define IIMG_REFERENCE_AGE 60

/** Forget what nobody has used for IIMG_REFERENCE_AGE. To be called now and then. */
void iimg_reference_cache_expire(iimg_reference_cache_t *cache, apr_time_t now);

/** Bytes that generations hold at this moment. */
apr_size_t iimg_reference_cache_used(iimg_reference_cache_t *cache);

/**
 * Read a photo from the store and have it turned upright, bounded, a JPEG in sRGB; at the same time
 * others who want it wait for this one.
 * @param key       of the original
 * @param pool      as long as it lives, the memory does; destroyed by one thread
 * @param reference data and base64
 * Errors: as iimg_image_reference and the store's `get`.
 */
iimg_error_t *iimg_reference_load(iimg_context_t *context, apr_pool_t *pool, const char *key,
                                  iimg_generator_reference_t *reference);

#endif
