/* complete_upload.c - the steps that end the transaction of an upload. */
#include "functions/shared/complete_upload.h"

#include "functions/shared/audit.h"
#include "functions/shared/idempotency.h"

iimg_error_t *iimg_complete_upload(iimg_context_t *context, const iimg_stored_picture_t *stored,
                                   const char *table, const char *row_id, iimg_claim_t *doomed)
{
    iimg_error_t *err = iimg_publish_picture(context, stored);

    if (err) {
        return err;
    }
    err = iimg_idempotency_record(context, IIMG_STATUS_OK, row_id);
    if (err) {
        return err;
    }
    err = iimg_audit_member(context, "change", table, row_id, "image");
    if (err) {
        return err;
    }
    return iimg_stored_object_claim_own(context, doomed);
}
