/* image.h - derivatives, references, posters and dimensions of pictures, made by
 * identityimg-worker.
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

/** The result of decoding a picture once; allocated from the context's pool. */
typedef struct iimg_derived_t {
    const iimg_media_type_t *type;       /* of the original */
    const iimg_media_type_t *sized_type; /* of the derivatives: WebP if configured; else JPEG,
                                            or PNG for transparent pixels */
    iimg_derivative_t original;          /* without private metadata, pixels as they were */
    int width, height;                   /* of the original, from its header */
    iimg_derivative_t
        derivatives[IIMG_DERIVATIVES]; /* upright, sRGB, without metadata, never enlarged */
} iimg_derived_t;

/**
 * Make the derivatives of a picture, and its original without private metadata.
 * Errors: IIMG_INVALID code unsupported_image, IIMG_TOO_LARGE code too_many_pixels, IIMG_BUSY code
 * pictures_busy, IIMG_UNAVAILABLE code pictures_down, IIMG_INTERNAL for an invalid reply.
 */
iimg_error_t *iimg_image_derive(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_bytes_t *picture, iimg_derived_t **derived);

/**
 * Make the form of a picture that is sent to a provider: upright sRGB JPEG, no metadata.
 * @param max_side most pixels of the longer side
 * Errors: as iimg_image_derive.
 */
iimg_error_t *iimg_image_reference(iimg_context_t *context, const iimg_image_settings_t *settings,
                                   const iimg_bytes_t *picture, int max_side,
                                   iimg_derivative_t *reference);

/** A picture that the worker is inspecting; allocated from context->pool. */
typedef struct iimg_image_inspection_t iimg_image_inspection_t;

/**
 * Start to check that a picture opens, and to read its dimensions. If it succeeds,
 * iimg_image_inspect_end must follow, in the same thread; the caller may do other work before. The
 * picture's bytes and file must stay until then.
 * Errors: as iimg_image_derive; then there is no inspection.
 */
iimg_error_t *iimg_image_inspect_begin(iimg_context_t *context,
                                       const iimg_image_settings_t *settings,
                                       const iimg_bytes_t *picture,
                                       iimg_image_inspection_t **inspection);

/** Wait for the worker. Errors: as iimg_image_derive. */
iimg_error_t *iimg_image_inspect_end(iimg_image_inspection_t *inspection, int *width, int *height);

/**
 * Check that the worker decodes a small picture. Waits for some seconds at most. A worker that is
 * busy with other pictures passes.
 * @return NULL, or what is wrong, for the log
 */
const char *iimg_image_ready(iimg_context_t *context, const iimg_image_settings_t *settings);

/** The contents of a poster. */
typedef struct iimg_poster_t {
    int width, height; /* pixels */
    const char *title; /* texts in UTF-8; NULL: none */
    const char *subtitle;
    const char *body;
    const char *mark;                  /* a line that marks the poster as a preview */
    const iimg_derivative_t *pictures; /* JPEG, shown side by side */
    int picture_count;
} iimg_poster_t;

/**
 * Compose a poster. If drawing the texts crashes the worker's process or takes too long, they are
 * left out, and a line is logged.
 * @param poster_jpeg a JPEG that fits into width x height
 * Errors: IIMG_BUSY, IIMG_UNAVAILABLE, IIMG_INTERNAL.
 */
iimg_error_t *iimg_image_poster(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_poster_t *poster, iimg_derivative_t *poster_jpeg);

#endif
