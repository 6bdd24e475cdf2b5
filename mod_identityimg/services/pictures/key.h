/* key.h - the names of a picture's objects in the store. */
#ifndef IIMG_SERVICES_PICTURES_KEY_H
#define IIMG_SERVICES_PICTURES_KEY_H

#include <stdbool.h>
#include <apr_pools.h>

/** The derivatives: in the order in which the API shows them. */
typedef enum {
    IIMG_THUMBNAIL,
    IIMG_MEDIUM,
    IIMG_LARGE,
    IIMG_SIZES
} iimg_size_t;

typedef struct iimg_size_spec_t {
    const char *name;   /* "thumbnail": the member of the API's image object */
    int box;            /* pixels: it fits in box x box */
    const char *suffix; /* in its key, between name and ending */
} iimg_size_spec_t;

extern const iimg_size_spec_t iimg_sizes[IIMG_SIZES];

/** What keys begin with, up to the first slash; NULL at the end. */
extern const char *const iimg_key_places[];

/** @return "media/<uuid>/<name>.<extension>" */
const char *iimg_key_original(apr_pool_t *pool, const char *uuid, const char *safe_name,
                              const char *extension);

/** @return "generated_images/<uuid>.<extension>" */
const char *iimg_key_generated(apr_pool_t *pool, const char *uuid, const char *extension);

/**
 * The key of a derivative.
 * @param original key of the original
 * @param sized    ending of the derivatives: "jpg", "png"
 * @return "media/<uuid>/__sized__/<name>-thumbnail-<box>x<box>.<sized>"
 */
const char *iimg_key_sized(apr_pool_t *pool, const char *original, iimg_size_t size,
                           const char *sized);

/** Whether text is a key of ours, to the letter: nothing else may become a path or a URL. */
bool iimg_key_is_valid(const char *text);

/** The uuid within a valid key; lives as long as the pool. */
const char *iimg_key_uuid(apr_pool_t *pool, const char *key);

/** The extension behind the only dot of a valid key, within it. */
const char *iimg_key_extension(const char *key);

#endif
