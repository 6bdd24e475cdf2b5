/* shared.c - answers that several views give. */
#include "views/shared.h"

#include <apr_strings.h>
#include "serializers/serializers.h"
#include "server/response.h"

iimg_error_t *iimg_answer_identities(iimg_request_t *req, const apr_array_header_t *identities)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err = iimg_respond_signer(req, &signer);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 8192);
    iimg_json_array_open(out);
    for (int i = 0; i < identities->nelts; i++) {
        iimg_identity_serialize(out, signer, &APR_ARRAY_IDX(identities, i, iimg_identity_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_answer_identity(iimg_request_t *req, const iimg_identity_t *identity)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err;

    if (iimg_respond_unchanged(req, apr_itoa(req->context->pool, identity->version))) {
        return NULL;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 4096);
    iimg_identity_serialize(out, signer, identity);
    return iimg_respond_json(req, HTTP_OK, out);
}
