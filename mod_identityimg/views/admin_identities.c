/* admin_identities.c - all users' identities, for staff. */
#include "views/views.h"

#include "functions/admin/admin.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/page.h"
#include "views/shared.h"

#define MAX_IDENTITY_NAME 255 /* characters */
#define MAX_TEXT          10000
#define MAX_NOTE          2000
#define MAX_NOTES         100

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    iimg_identity_serialize(out, signer, row);
}

static iimg_error_t *read_texts(const iimg_input_t *input, iimg_identity_change_t *change)
{
    const struct {
        const char *name;
        apr_size_t max;
        int flags;
        iimg_given_t *given;
    } texts[] = {
        { "name", MAX_IDENTITY_NAME, 0, &change->name },
        { "category", MAX_IDENTITY_NAME, 0, &change->category },
        { "i_am_statement", MAX_TEXT, IIMG_MAY_BE_BLANK | IIMG_MAY_BE_NULL,
          &change->i_am_statement },
        { "visualization", MAX_TEXT, IIMG_MAY_BE_BLANK | IIMG_MAY_BE_NULL, &change->visualization },
    };
    iimg_error_t *err = NULL;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err = iimg_error_join(err, iimg_input_given(input, texts[i].name, texts[i].max,
                                                    texts[i].flags, texts[i].given));
    }
    return err;
}

static iimg_error_t *read_change(const iimg_input_t *input, iimg_identity_change_t *change)
{
    iimg_error_t *err = iimg_input_given_uuid(input, "user_id", 0, &change->user_id);

    err = iimg_error_join(err, read_texts(input, change));
    return iimg_error_join(err,
                           iimg_input_texts(input, "notes", MAX_NOTES, MAX_NOTE, &change->notes));
}

static iimg_error_t *read_list(iimg_request_t *req, iimg_page_t *page,
                               iimg_identity_filter_t *filter)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_read_page(req, page, &query);

    err = iimg_error_join(err, iimg_read_uuid_filter(query, "user_id", &filter->user_id));
    return iimg_error_join(
        err, iimg_read_text_filter(query, "category", MAX_IDENTITY_NAME, &filter->category));
}

iimg_error_t *iimg_view_admin_identity_list(iimg_request_t *req)
{
    apr_array_header_t *identities;
    iimg_identity_filter_t filter;
    iimg_page_t page;
    iimg_error_t *err = read_list(req, &page, &filter);

    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_identities(req->context, &page, &filter, &identities);
    return err ? err : iimg_answer_page(req, &page, identities, write_row);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status,
                                    const iimg_identity_t *identity)
{
    iimg_set_location(req, identity->id);
    return iimg_answer_identity(req, status, identity);
}

/* The row that the request made when it came first, as it is now. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_get_any_identity(req->context, replay->id, &identity);

    return err ? iimg_replay_error(req, err) : answer_created(req, replay->status, identity);
}

iimg_error_t *iimg_view_admin_identity_create(iimg_request_t *req)
{
    static const char *const required[] = { "user_id", "name", "category", NULL };
    iimg_identity_change_t wanted;
    iimg_identity_t *identity;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_ROW_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (!err && replay) {
        return replay_create(req, replay);
    }
    if (!err) {
        err = iimg_error_join(iimg_input_require(input, required), read_change(input, &wanted));
    }
    if (!err) {
        err = iimg_create_identity(req->context, &wanted, &identity);
    }
    return err ? err : answer_created(req, HTTP_CREATED, identity);
}

iimg_error_t *iimg_view_admin_identity_retrieve(iimg_request_t *req)
{
    iimg_identity_t *identity;
    iimg_error_t *err = iimg_get_any_identity(req->context, req->id, &identity);

    return err ? err : iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_admin_identity_update(iimg_request_t *req)
{
    iimg_identity_change_t wanted;
    iimg_identity_t *identity;
    iimg_input_t *input;
    iimg_error_t *err = iimg_get_any_identity(req->context, req->id, &identity);

    if (!err) {
        err = iimg_check_version(req->context, identity->version);
    }
    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = read_change(input, &wanted);
    }
    if (!err) {
        err = iimg_update_identity(req->context, req->id, &wanted, &identity);
    }
    return err ? err : iimg_answer_identity(req, HTTP_OK, identity);
}

iimg_error_t *iimg_view_admin_identity_destroy(iimg_request_t *req)
{
    iimg_error_t *err = iimg_delete_identity(req->context, req->id);

    return err ? err : iimg_respond_no_content(req);
}
