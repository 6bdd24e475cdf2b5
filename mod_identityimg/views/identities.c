/* identities.c - set, delete and restore an identity's picture. */
#include "views/views.h"

#include "functions/public/public.h"
#include "functions/shared/store_picture.h"
#include "functions/shared/version.h"
#include "server/http/idempotency.h"
#include "views/shared.h"

/* Checks before the body is read, unless the request may be a replay of the one that made this
 * version. */
static iimg_error_t *check_identity(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_get_identity(req->context, req->id, &identity);

    if (err || iimg_request_has_key(req)) {
        return err;
    }
    return iimg_check_version(req->context, identity->version);
}

iimg_error_t *iimg_view_identity_upload(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_upload_t *upload;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = check_identity(req);

    if (err) {
        return err;
    }
    err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PATIENCE, &input, &replay);
    if (err) {
        return err;
    }
    if (replay) {
        return iimg_answer_identity_again(req, replay);
    }
    err = iimg_request_required_upload(req, input, &upload);
    if (err) {
        return err;
    }
    err = iimg_upload_identity_image(req->context, req->id, upload, &identity);
    if (err) {
        return err;
    }
    return iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_identity_delete_image(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_delete_identity_image(req->context, req->id, &identity);

    if (err) {
        return err;
    }
    return iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_identity_restore_image(iimg_request_t *req)
{
    iimg_identity_t *identity;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_ROW_SECONDS, IIMG_PATIENCE, NULL,
                                                &replay);

    if (err) {
        return err;
    }
    if (replay) {
        return iimg_answer_identity_again(req, replay);
    }
    err = iimg_restore_identity_image(req->context, req->id, &identity);
    if (err) {
        return err;
    }
    return iimg_answer_identity(req, HTTP_OK, identity);
}
