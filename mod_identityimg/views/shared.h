/* shared.h - read photos, and send rows, for several views. */
#ifndef IIMG_VIEWS_SHARED_H
#define IIMG_VIEWS_SHARED_H

#include "functions/public/public.h"
#include "server/http/idempotency.h"
#include "server/http/request.h"
#include "views/page.h"

/** Send 200 with a list of identities. @param identities iimg_identity_t */
iimg_error_t *iimg_answer_identities(iimg_request_t *req, const apr_array_header_t *identities);

/**
 * Send a row with its ETag, or 304 if the client has this version.
 * @param has_urls whether the response contains URLs of pictures
 */
iimg_error_t *iimg_answer_row(iimg_request_t *req, int status, int version, bool has_urls,
                              iimg_write_row_fn write, const void *row);

/** The same with one identity, or one photo. */
iimg_error_t *iimg_answer_identity(iimg_request_t *req, int status,
                                   const iimg_identity_t *identity);
iimg_error_t *iimg_answer_reference_image(iimg_request_t *req, int status,
                                          const iimg_reference_image_t *image);

/** Write an iimg_identity_t or an iimg_reference_image_t as JSON. */
void iimg_write_identity(iimg_json_t *out, iimg_media_signer_t *signer, const void *row);
void iimg_write_reference_image(iimg_json_t *out, iimg_media_signer_t *signer, const void *row);

/** Replay a change of an identity: send the identity in its present state. Errors: IIMG_GONE. */
iimg_error_t *iimg_answer_identity_again(iimg_request_t *req, const iimg_replay_t *replay);

/** Read name, order and picture of a new photo. Errors: IIMG_INVALID, IIMG_TOO_LARGE. */
iimg_error_t *iimg_read_new_reference_image(iimg_request_t *req, const iimg_input_t *input,
                                            iimg_new_reference_image_t *wanted);

/** Read the members of a photo to change, and `?swap=`. Errors: IIMG_INVALID. */
iimg_error_t *iimg_read_reference_image_change(iimg_request_t *req, const iimg_input_t *input,
                                               iimg_reference_image_change_t *change);

/* Seconds that a create may take, without and with a picture, and that its replay waits for it. */
#define IIMG_ROW_SECONDS     30
#define IIMG_PICTURE_SECONDS 120
#define IIMG_PATIENCE        10

/** Turn the error of reading a replayed row into that of the replay: not found becomes gone. */
iimg_error_t *iimg_replay_error(iimg_request_t *req, iimg_error_t *err);

#endif
