/* complete_upload.h - the steps that end the transaction of an upload. */
#ifndef IIMG_FUNCTIONS_SHARED_COMPLETE_UPLOAD_H
#define IIMG_FUNCTIONS_SHARED_COMPLETE_UPLOAD_H

#include "functions/shared/store_picture.h"
#include "models/stored_object.h"

/**
 * After a row got a stored picture, in the same transaction: mark the picture's objects as live,
 * record the result for the idempotency key and the change for the audit log, and claim the
 * objects of the previous picture.
 * @param table  "identities" or "reference_images"
 * @param doomed claim on the objects of the previous picture
 * Errors: as iimg_publish_picture, iimg_idempotency_record, iimg_audit_member.
 */
iimg_error_t *iimg_complete_upload(iimg_context_t *context, const iimg_stored_picture_t *stored,
                                   const char *table, const char *row_id, iimg_claim_t *doomed);

#endif
