/* shared.c - read photos, and send rows, for several views. */
#include "views/shared.h"

#include <limits.h>
#include <apr_strings.h>
#include "functions/shared/idempotency.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/store_picture.h"
#include "serializers/serializers.h"
#include "server/http/response.h"

#define MAX_PHOTO_NAME 255  /* characters */
#define ROW_SIZE       4096 /* bytes of JSON to allocate first */

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

iimg_error_t *iimg_answer_row(iimg_request_t *req, int status, int version, bool has_urls,
                              iimg_write_row_fn write, const void *row)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err;

    if (iimg_respond_unchanged(req, apr_itoa(req->context->pool, version), has_urls)) {
        return NULL;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, ROW_SIZE);
    write(out, signer, row);
    return iimg_respond_json(req, status, out);
}

void iimg_write_identity(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    iimg_identity_serialize(out, signer, row);
}

iimg_error_t *iimg_answer_identity(iimg_request_t *req, int status, const iimg_identity_t *identity)
{
    return iimg_answer_row(req, status, identity->version, identity->picture.key != NULL,
                           iimg_write_identity, identity);
}

iimg_error_t *iimg_answer_identity_again(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_get_identity(req->context, replay->id, &identity);

    if (err) {
        return iimg_replay_error(req, err);
    }
    return iimg_answer_identity(req, replay->status, identity);
}

void iimg_write_reference_image(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    iimg_reference_image_serialize(out, signer, row);
}

iimg_error_t *iimg_answer_reference_image(iimg_request_t *req, int status,
                                          const iimg_reference_image_t *image)
{
    return iimg_answer_row(req, status, image->version, image->picture.key != NULL,
                           iimg_write_reference_image, image);
}

/* Does not check the range: a sixth photo is refused for being the sixth, whatever its order. */
static iimg_error_t *read_order(iimg_request_t *req, const iimg_input_t *input, const int **order)
{
    long long value = 0;
    bool present;
    iimg_error_t *err = iimg_input_integer(input, "order", &present, &value);

    *order = NULL;
    if (err || !present) {
        return err;
    }
    value = value < INT_MIN ? INT_MIN : value > INT_MAX ? INT_MAX : value;
    *order = apr_pmemdup(req->context->pool, &(int){ (int)value }, sizeof(int));
    return NULL;
}

/* A client that sends text in place of a file must not take the photo for uploaded. */
static iimg_error_t *not_a_file(const iimg_request_t *req)
{
    return iimg_error_invalid_field(req->context->pool, "image", "no_image",
                                    "The submitted data was not a file. Check the encoding type "
                                    "on the form.");
}

iimg_error_t *iimg_read_new_reference_image(iimg_request_t *req, const iimg_input_t *input,
                                            iimg_new_reference_image_t *wanted)
{
    iimg_upload_t *upload;
    iimg_error_t *err = iimg_input_optional(input, "name", MAX_PHOTO_NAME, &wanted->name);

    err = iimg_error_join(err, read_order(req, input, &wanted->order));
    err = iimg_error_join(err, iimg_input_is_text(input, "image")
                                   ? not_a_file(req)
                                   : iimg_request_upload(req, input, &upload));
    if (err) {
        return wanted->order ? iimg_error_join(
                   err, iimg_check_reference_image_order(req->context, *wanted->order))
                             : err;
    }
    wanted->name = wanted->name ? wanted->name : "";
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): set when there is no error */
    wanted->upload = upload;
    return NULL;
}

static iimg_error_t *read_swap(iimg_request_t *req, bool *swap)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_input_parse_query(req->context->pool, req->r->args, &query);

    *swap = false;
    if (err) {
        return err;
    }
    return iimg_input_bool(query, "swap", swap);
}

iimg_error_t *iimg_read_reference_image_change(iimg_request_t *req, const iimg_input_t *input,
                                               iimg_reference_image_change_t *change)
{
    iimg_error_t *err = iimg_input_optional(input, "name", MAX_PHOTO_NAME, &change->name);

    if (iimg_input_is_null(input, "order")) {
        err = iimg_error_join(err, iimg_error_invalid_field(req->context->pool, "order", NULL,
                                                            "This field may not be null."));
    }
    err = iimg_error_join(err, read_order(req, input, &change->order));
    if (change->order) {
        err = iimg_error_join(err, iimg_check_reference_image_order(req->context, *change->order));
    }
    return iimg_error_join(err, read_swap(req, &change->swap));
}

iimg_error_t *iimg_replay_error(iimg_request_t *req, iimg_error_t *err)
{
    return err->kind == IIMG_NOT_FOUND ? iimg_idempotency_gone(req->context) : err;
}
