/* key.h - the names of a picture's objects in the store. */
#ifndef IIMG_SERVICES_PICTURES_KEY_H
#define IIMG_SERVICES_PICTURES_KEY_H

#include <stdbool.h>
#include <apr_pools.h>
#include "services/pictures/derivatives.h"

/** The first components of all keys; NULL at the end. */
extern const char *const iimg_key_places[];

/** @return "media/<uuid>/<name>.<extension>" */
const char *iimg_key_original(apr_pool_t *pool, const char *uuid, const char *safe_name,
                              const char *extension);

/** @return "generated_images/<uuid>.<extension>" */
const char *iimg_key_generated(apr_pool_t *pool, const char *uuid, const char *extension);

/**
 * The key of a derivative.
 * @param original key of the original
 * @param sized    extension of the derivatives: "jpg", "png"
 * @return "media/<uuid>/__sized__/<name>-thumbnail-<side>x<side>.<sized>"
 */
const char *iimg_key_sized(apr_pool_t *pool, const char *original,
                           iimg_derivative_name_t derivative, const char *sized);

/** Whether text is a key, to the letter. Nothing else may become a path or a URL. */
bool iimg_key_is_valid(const char *text);

/** @return the uuid within a valid key; lives as long as the pool */
const char *iimg_key_uuid(apr_pool_t *pool, const char *key);

/** @return the extension of a valid key, within it */
const char *iimg_key_extension(const char *key);

#endif
