/* image.h - strangers' pictures, decoded by identityimg-worker: derivatives, references, posters.
 */
#ifndef IIMG_SERVICES_PICTURES_IMAGE_H
#define IIMG_SERVICES_PICTURES_IMAGE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"
#include "base/media_type.h"
#include "services/pictures/key.h"
#include "services/pictures/worker_client.h"

typedef struct iimg_image_limits_t {
    apr_size_t max_pixels;      /* width x height of everything but baseline JPEG */
    apr_size_t max_pixels_jpeg; /* of baseline JPEG, which is decoded in strips */
} iimg_image_limits_t;

/** How pictures are decoded; read-only after start. */
typedef struct iimg_image_settings_t {
    iimg_picture_worker_t worker;
    iimg_image_limits_t limits;
    iimg_format_t derivative_format; /* of opaque ones: JPEG or WebP */
    int derivative_quality;
} iimg_image_settings_t;

typedef struct iimg_derivative_t {
    const char *data;
    apr_size_t length;
} iimg_derivative_t;

/** What one decode of a picture gives. Memory is the context's pool's. */
typedef struct iimg_derived_t {
    const iimg_media_type_t *type;       /* of the original */
    const iimg_media_type_t *sized_type; /* of the derivatives: WebP if that is asked for; else
                                            JPEG, or PNG when it has transparent pixels */
    iimg_derivative_t original;          /* without private metadata, pixels as they were */
    int width, height;                   /* of the original, as its header says */
    iimg_derivative_t sizes[IIMG_SIZES]; /* upright, sRGB, without metadata, never enlarged */
} iimg_derived_t;

/**
 * Make the derivatives of a picture, and its original without private metadata.
 * Errors: IIMG_INVALID code unsupported_image (says what was found and what is allowed),
 * IIMG_TOO_LARGE code too_many_pixels, IIMG_BUSY code pictures_busy, IIMG_UNAVAILABLE code
 * pictures_down, IIMG_INTERNAL when the worker answered what cannot be true.
 */
iimg_error_t *iimg_image_derive(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_bytes_t *picture, iimg_derived_t **derived);

/**
 * Make the form in which a picture goes to a provider: upright sRGB JPEG, no metadata.
 * @param max_side most pixels of the longer side
 * Errors: as iimg_image_derive.
 */
iimg_error_t *iimg_image_reference(iimg_context_t *context, const iimg_image_settings_t *settings,
                                   const iimg_bytes_t *picture, int max_side,
                                   iimg_derivative_t *reference);

/**
 * Read a picture's size from its header.
 * @param meanwhile called once while somebody looks at it, if anybody can; or NULL
 * Errors: as iimg_image_derive.
 */
iimg_error_t *iimg_image_size(iimg_context_t *context, const iimg_image_settings_t *settings,
                              const iimg_bytes_t *picture, void (*meanwhile)(void *baton),
                              void *baton, int *width, int *height);

/**
 * Check that pictures can be decoded now, with a small one in a process of its own. Waits for some
 * seconds; a worker that is busy with other pictures counts as working.
 * @return NULL, or what is wrong, for the log
 */
const char *iimg_image_ready(iimg_context_t *context, const iimg_image_settings_t *settings);

/** What a poster shows. */
typedef struct iimg_poster_t {
    int width, height; /* pixels */
    const char *title; /* UTF-8, as they are; NULL: none */
    const char *subtitle;
    const char *body;
    const char *mark;                  /* a line that says what the poster is */
    const iimg_derivative_t *pictures; /* JPEG, shown side by side */
    int picture_count;
} iimg_poster_t;

/**
 * Compose a poster. Words that end the worker's process, or take too long, are left out, with a
 * line in the log.
 * @param poster_jpeg a JPEG of exactly the size asked
 * Errors: IIMG_BUSY, IIMG_UNAVAILABLE, IIMG_INTERNAL.
 */
iimg_error_t *iimg_image_poster(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_poster_t *poster, iimg_derivative_t *poster_jpeg);

#endif
