/* store_picture.h - write a picture's objects to the store, and publish or abandon them. */
#ifndef IIMG_FUNCTIONS_SHARED_STORE_PICTURE_H
#define IIMG_FUNCTIONS_SHARED_STORE_PICTURE_H

#include "base/context.h"
#include "base/error.h"
#include "base/media_type.h"
#include "models/picture.h"
#include "services/services.h"

/*
 *   err = iimg_store_picture(context, upload, &stored);
 *   in the transaction that updates the row:   err = iimg_publish_picture(context, &stored)
 *   when that transaction fails:               iimg_abandon_picture(context, &stored)
 */

/** A picture to store. */
typedef struct iimg_upload_t {
    iimg_bytes_t bytes;
    const char *filename; /* as the client sent it; NULL: none */
    bool as_it_is;        /* store the original with its metadata: a generator's picture */
} iimg_upload_t;

/** Objects in the store and in the manifest that no row refers to yet. */
typedef struct iimg_stored_picture_t {
    iimg_picture_t picture;
    const char *uuid;         /* part of all keys */
    int count;                /* of objects */
    apr_array_header_t *keys; /* const char *, all of them */
} iimg_stored_picture_t;

/**
 * Decode an upload, announce its keys in the manifest, and write the derivatives and the original
 * without private metadata. After an error the sweeper removes all objects.
 * Errors: as iimg_image_derive; IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_store_picture(iimg_context_t *context, const iimg_upload_t *upload,
                                 iimg_stored_picture_t *stored);

/** Write a generated picture's only object. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_store_generated_picture(iimg_context_t *context,
                                           const iimg_generator_result_t *result,
                                           const iimg_media_type_t *type,
                                           iimg_stored_picture_t *stored);

/** Within the transaction that makes a row refer to the picture: mark its objects as live. */
iimg_error_t *iimg_publish_picture(iimg_context_t *context, const iimg_stored_picture_t *stored);

/**
 * Delete objects that no row refers to. Harmless if a row does refer to them, because the reply to
 * COMMIT was lost. Failures are logged; the sweeper retries.
 */
void iimg_abandon_picture(iimg_context_t *context, const iimg_stored_picture_t *stored);

#endif
