/* shared.h - what several views read and answer. */
#ifndef IIMG_VIEWS_SHARED_H
#define IIMG_VIEWS_SHARED_H

#include "functions/public/public.h"
#include "server/http/idempotency.h"
#include "server/http/request.h"

/** Answer 200 with a list of identities. @param identities iimg_identity_t */
iimg_error_t *iimg_answer_identities(iimg_request_t *req, const apr_array_header_t *identities);

/** Answer with one identity. */
iimg_error_t *iimg_answer_identity(iimg_request_t *req, int status,
                                   const iimg_identity_t *identity);

/** A change of an identity that is sent again: the identity as it is now. Errors: IIMG_GONE. */
iimg_error_t *iimg_answer_identity_again(iimg_request_t *req, const iimg_replay_t *replay);

/** Answer with one photo. */
iimg_error_t *iimg_answer_reference_image(iimg_request_t *req, int status,
                                          const iimg_reference_image_t *image);

/** Name, order and picture of a new photo. Errors: IIMG_INVALID, IIMG_TOO_LARGE. */
iimg_error_t *iimg_read_new_reference_image(iimg_request_t *req, const iimg_input_t *input,
                                            iimg_new_reference_image_t *wanted);

/** What of a photo is to be changed, and `?swap=`. Errors: IIMG_INVALID. */
iimg_error_t *iimg_read_reference_image_change(iimg_request_t *req, const iimg_input_t *input,
                                               iimg_reference_image_change_t *change);

/* Seconds that a request that creates may take, and that one that repeats it waits. */
#define IIMG_ROW_SECONDS     30
#define IIMG_PICTURE_SECONDS 120
#define IIMG_PATIENCE        10

/** Why the row that a repeated request made cannot be shown: when it is not found, it is gone. */
iimg_error_t *iimg_replay_error(iimg_request_t *req, iimg_error_t *err);

#endif
