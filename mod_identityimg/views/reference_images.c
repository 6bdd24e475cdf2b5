/* reference_images.c - the photos a user keeps. */
#include "views/views.h"

#include <string.h>
#include <apr_strings.h>
#include "functions/public/public.h"
#include "serializers/serializers.h"
#include "server/idempotency.h"
#include "server/response.h"

#define ROOM 1200       /* bytes of JSON that one photo takes, about */
#define MAX_NAME 255    /* characters */
#define CREATION 120    /* seconds that storing a picture may take */
#define PATIENCE 10     /* seconds that a repeated request waits for the first */

static iimg_error_t *answer_one(iimg_request_t *req, int status,
                                const iimg_reference_image_t *image)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err;

    if (iimg_respond_unchanged(req, apr_itoa(req->context->pool, image->version))) {
        return NULL;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, ROOM);
    iimg_reference_image_serialize(out, signer, image);
    return iimg_respond_json(req, status, out);
}

iimg_error_t *iimg_view_reference_image_list(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *images;
    iimg_media_signer_t *signer;
    iimg_scope_t scope;
    iimg_error_t *err;

    iimg_request_scope(req, &scope);
    err = iimg_list_reference_images(req->context, &scope, &images);
    if (!err) {
        err = iimg_respond_signer(req, &signer);
    }
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, IIMG_REFERENCE_IMAGE_SLOTS * ROOM);
    iimg_json_array_open(out);
    for (int i = 0; i < images->nelts; i++) {
        iimg_reference_image_serialize(out, signer,
                                       &APR_ARRAY_IDX(images, i, iimg_reference_image_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

static iimg_error_t *read_order(iimg_request_t *req, const iimg_input_t *input, const int **order)
{
    long long value = 0;
    bool present;
    iimg_error_t *err = iimg_input_integer(input, "order", &present, &value);

    *order = NULL;
    if (err || !present) {
        return err;
    }
    *order = apr_pmemdup(req->context->pool, &(int){ (int)value }, sizeof(int));
    return iimg_check_order(req->context, value);
}

/* Name, order and picture of a new photo. */
static iimg_error_t *read_new(iimg_request_t *req, const iimg_input_t *input,
                              iimg_new_reference_image_t *wanted)
{
    iimg_upload_t *upload;
    iimg_error_t *err = iimg_input_text(input, "name", MAX_NAME, &wanted->name);

    if (!err) {
        err = read_order(req, input, &wanted->order);
    }
    if (!err) {
        err = iimg_request_upload(req, input, &upload);
    }
    if (err) {
        return err;
    }
    wanted->name = wanted->name ? wanted->name : "";
    wanted->upload = upload;
    return NULL;
}

/* `user_id` in the body is staff's alone; whatever others put there is ignored. */
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

/* Staff find another user's photo with ?user_id= only. */
static const char *location_of(iimg_request_t *req, const iimg_reference_image_t *image)
{
    bool own = strcmp(image->user_id, req->context->caller->id) == 0;

    return apr_pstrcat(req->context->pool, req->context->base_url, iimg_location_of(req->r)->base,
                       "/reference-images/", image->id, own ? "/" : "/?user_id=",
                       own ? "" : image->user_id, NULL);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status,
                                    const iimg_reference_image_t *image)
{
    apr_table_setn(req->r->headers_out, "Location", location_of(req, image));
    return answer_one(req, status, image);
}

/* The row that the request made when it came first, as it is now. */
static iimg_error_t *replay_create(iimg_request_t *req, const char *owner,
                                   const iimg_replay_t *replay)
{
    iimg_scope_t scope = { .user_id = owner };
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_get_reference_image(req->context, &scope, replay->id, &image);

    if (err) {
        return err->kind == IIMG_NOT_FOUND ? iimg_idempotency_gone(req->context) : err;
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
    iimg_error_t *err = iimg_request_input_once(req, CREATION, PATIENCE, &input, &replay);

    if (!err) {
        err = read_owner(req, input, &owner);
    }
    if (!err && replay) {
        return replay_create(req, owner, replay);
    }
    if (!err) {
        err = read_new(req, input, &wanted);
    }
    if (!err) {
        err = iimg_create_reference_image(req->context, owner, &wanted, &image);
    }
    return err ? err : answer_created(req, HTTP_CREATED, image);
}

/* The photo that the path names, within the scope of the query. */
static iimg_error_t *get_one(iimg_request_t *req, iimg_reference_image_t **image)
{
    iimg_scope_t scope;

    iimg_request_scope(req, &scope);
    return iimg_get_reference_image(req->context, &scope, req->id, image);
}

/* The same, for a change: of the version that the client knows. */
static iimg_error_t *get_for_change(iimg_request_t *req, iimg_reference_image_t **image)
{
    iimg_error_t *err = get_one(req, image);

    return err ? err : iimg_check_version(req->context, (*image)->version);
}

iimg_error_t *iimg_view_reference_image_retrieve(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = get_one(req, &image);

    return err ? err : answer_one(req, HTTP_OK, image);
}

static iimg_error_t *read_swap(iimg_request_t *req, bool *swap)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_input_parse_query(req->context->pool, req->r->args, &query);

    *swap = false;
    return err ? err : iimg_input_bool(query, "swap", swap);
}

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_reference_image_change_t *change)
{
    iimg_error_t *err = iimg_input_text(input, "name", MAX_NAME, &change->name);

    if (!err && iimg_input_is_null(input, "order")) {
        err = iimg_error_field(iimg_error(req->context->pool, IIMG_INVALID,
                                          "This field may not be null."), "order");
    }
    if (!err) {
        err = read_order(req, input, &change->order);
    }
    return err ? err : read_swap(req, &change->swap);
}

iimg_error_t *iimg_view_reference_image_update(iimg_request_t *req)
{
    iimg_reference_image_change_t change;
    iimg_reference_image_t *image;
    iimg_input_t *input;
    iimg_error_t *err = get_for_change(req, &image);

    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = read_change(req, input, &change);
    }
    if (!err && (change.name || change.order)) {
        err = iimg_update_reference_image(req->context, image->user_id, image->id, &change,
                                          &image);
    }
    return err ? err : answer_one(req, HTTP_OK, image);
}

iimg_error_t *iimg_view_reference_image_destroy(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_error_t *err = get_for_change(req, &image);

    if (!err) {
        err = iimg_delete_reference_image(req->context, image->user_id, image->id);
    }
    return err ? err : iimg_respond_no_content(req);
}

iimg_error_t *iimg_view_reference_image_upload(iimg_request_t *req)
{
    iimg_reference_image_t *image;
    iimg_upload_t *upload;
    iimg_input_t *input;
    iimg_error_t *err = get_for_change(req, &image);

    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = iimg_request_required_upload(req, input, &upload);
    }
    if (!err) {
        err = iimg_upload_reference_image(req->context, image->user_id, image->id, upload, &image);
    }
    return err ? err : answer_one(req, HTTP_OK, image);
}
