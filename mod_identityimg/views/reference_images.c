/* reference_images.c - list, read, create, change, delete and upload photos. */
#include "views/views.h"

#include <string.h>
#include <apr_strings.h>
#include "functions/public/public.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/scope.h"
#include "functions/shared/store_picture.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/shared.h"

#define PHOTO_SIZE 1200 /* bytes of JSON to allocate for each photo */

iimg_error_t *iimg_view_reference_image_list(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *images;
    iimg_media_signer_t *signer;
    iimg_scope_t scope;
    iimg_error_t *err;

    iimg_request_scope(req, &scope);
    err = iimg_list_reference_images(req->context, &scope, &images);
    if (err) {
        return err;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, IIMG_REFERENCE_IMAGE_SLOTS * PHOTO_SIZE);
    iimg_json_array_open(out);
    for (int i = 0; i < images->nelts; i++) {
        iimg_reference_image_serialize(out, signer,
                                       &APR_ARRAY_IDX(images, i, iimg_reference_image_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

/* `user_id` in the body is ignored unless the caller is staff. */
static iimg_error_t *read_owner(iimg_request_t *req, const iimg_input_t *input, const char **owner)
{
    const char *user_id = NULL;
    iimg_error_t *err = NULL;

    if (req->context->caller->is_staff) {
        err = iimg_input_uuid(input, "user_id", &user_id);
    }
    *owner = user_id ? user_id : req->context->caller->id;
    return err;
}

/* For another user's photo the URL needs ?user_id=. */
static const char *build_location(iimg_request_t *req, const iimg_reference_image_t *image)
{
    bool own = strcmp(image->user_id, req->context->caller->id) == 0;

    return apr_pstrcat(req->context->pool, req->context->base_url, iimg_location_of(req->r)->base,
                       "/reference-images/", image->id,
                       own ? "/" : "/?user_id=", own ? "" : image->user_id, NULL);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status,
                                    const iimg_reference_image_t *image)
{
    apr_table_setn(req->r->headers_out, "Location", build_location(req, image));
    return iimg_answer_reference_image(req, status, image);
}

/* The photo that the first request created, in its present state. */
static iimg_error_t *replay_create(iimg_request_t *req, const char *owner,
                                   const iimg_replay_t *replay)
{
    iimg_scope_t scope = { .user_id = owner };
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_get_reference_image(req->context, &scope, replay->id, &image);

    if (err) {
        return iimg_replay_error(req, err);
    }
    return answer_created(req, replay->status, image);
}

iimg_error_t *iimg_view_reference_image_create(iimg_request_t *req)
{
    iimg_new_reference_image_t wanted = { NULL, NULL, NULL };
    iimg_reference_image_t *image;
    iimg_input_t *input;
    const char *owner;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (err) {
        return err;
    }
    err = read_owner(req, input, &owner);
    if (!err && replay) {
        return replay_create(req, owner, replay);
    }
    err = iimg_error_join(err, iimg_read_new_reference_image(req, input, &wanted));
    if (err) {
        return err;
    }
    err = iimg_create_reference_image(req->context, owner, &wanted, &image);
    if (err) {
        return err;
    }
    return answer_created(req, HTTP_CREATED, image);
}

/* The photo in the path, within the scope of the query. */
static iimg_error_t *get_image(iimg_request_t *req, iimg_reference_image_t **image)
{
    iimg_scope_t scope;

    iimg_request_scope(req, &scope);
    return iimg_get_reference_image(req->context, &scope, req->id, image);
}

/* The same, with the version in If-Match. */
static iimg_error_t *get_for_change(iimg_request_t *req, iimg_reference_image_t **image)
{
    iimg_error_t *err = get_image(req, image);

    if (err) {
        return err;
    }
    return iimg_check_version(req->context, (*image)->version);
}

iimg_error_t *iimg_view_reference_image_retrieve(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = get_image(req, &image);

    if (err) {
        return err;
    }
    return iimg_answer_reference_image(req, HTTP_OK, image);
}

iimg_error_t *iimg_view_reference_image_update(iimg_request_t *req)
{
    iimg_reference_image_change_t change;
    iimg_reference_image_t *image;
    iimg_input_t *input;
    iimg_error_t *err = get_for_change(req, &image);

    if (err) {
        return err;
    }
    err = iimg_request_input(req, &input);
    if (err) {
        return err;
    }
    err = iimg_read_reference_image_change(req, input, &change);
    if (err) {
        return err;
    }
    if (change.name || change.order) {
        err = iimg_update_reference_image(req->context, image->user_id, image->id, &change, &image);
        if (err) {
            return err;
        }
    }
    return iimg_answer_reference_image(req, HTTP_OK, image);
}

iimg_error_t *iimg_view_reference_image_destroy(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = get_for_change(req, &image);

    if (err) {
        return err;
    }
    err = iimg_delete_reference_image(req->context, image->user_id, image->id);
    if (err) {
        return err;
    }
    return iimg_respond_no_content(req);
}

iimg_error_t *iimg_view_reference_image_upload(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_upload_t *upload;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_has_key(req) ? get_image(req, &image)
                                                  : get_for_change(req, &image);

    if (err) {
        return err;
    }
    err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PATIENCE, &input, &replay);
    if (err) {
        return err;
    }
    if (replay) {
        err = get_image(req, &image);
        if (err) {
            return iimg_replay_error(req, err);
        }
        return iimg_answer_reference_image(req, replay->status, image);
    }
    err = iimg_request_required_upload(req, input, &upload);
    if (err) {
        return err;
    }
    err = iimg_upload_reference_image(req->context, image->user_id, image->id, upload, &image);
    if (err) {
        return err;
    }
    return iimg_answer_reference_image(req, HTTP_OK, image);
}
