/* identities.c - an identity's picture: put on, taken away, brought back. */
#include "views/views.h"

#include "functions/public/public.h"
#include "views/shared.h"

iimg_error_t *iimg_view_identity_upload(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_upload_t *upload;
    iimg_input_t *input;
    iimg_error_t *err = iimg_get_identity(req->context, req->id, &identity);

    if (!err) {
        err = iimg_check_version(req->context, identity->version);
    }
    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = iimg_request_required_upload(req, input, &upload);
    }
    if (!err) {
        err = iimg_upload_identity_image(req->context, req->id, upload, &identity);
    }
    return err ? err : iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_identity_delete_image(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_delete_identity_image(req->context, req->id, &identity);

    return err ? err : iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_identity_restore_image(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_restore_identity_image(req->context, req->id, &identity);

    return err ? err : iimg_answer_identity(req, HTTP_OK, identity);
}
