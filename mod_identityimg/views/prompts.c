/* prompts.c - list, read, create, change and preview versions of prompts. */
#include "views/views.h"

#include <apr_strings.h>
#include "base/text.h"
#include "functions/admin/admin.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/page.h"
#include "views/shared.h"

#define MAX_BODY              100000 /* characters */
#define MAX_ADDITIONAL_PROMPT 10000  /* characters, as generate/ takes them */
#define MAX_CONTEXT_KEYS      50

static iimg_error_t *refuse(const iimg_request_t *req, const char *field, const char *sentence)
{
    return iimg_error_invalid_field(req->context->pool, field, NULL, "%s", sentence);
}

static iimg_error_t *answer_prompt(iimg_request_t *req, int status, const iimg_prompt_t *prompt)
{
    iimg_json_t *out;

    if (iimg_respond_unchanged(req, iimg_prompt_version(req->context->pool, prompt), false)) {
        return NULL;
    }
    out = iimg_respond_begin(req, 4096);
    iimg_prompt_serialize(out, prompt);
    return iimg_respond_json(req, status, out);
}

/* Reading ------------------------------------------------------------------------------------- */

/* An empty ?prompt_type= counts as absent. */
static iimg_error_t *read_filter(iimg_request_t *req, const char **prompt_type)
{
    iimg_input_t *query;
    const char *text = NULL;
    iimg_error_t *err = iimg_input_parse_query(req->context->pool, req->r->args, &query);

    *prompt_type = NULL;
    if (err) {
        return err;
    }
    err = iimg_input_text(query, "prompt_type", MAX_BODY, &text);
    if (err) {
        return err;
    }
    if (!text || !*text) {
        return NULL;
    }
    return iimg_input_choice(query, "prompt_type", iimg_prompt_types, prompt_type);
}

/* @param body NULL when absent */
static iimg_error_t *read_body(iimg_request_t *req, const iimg_input_t *input, const char **body)
{
    iimg_error_t *err = iimg_input_text_raw(input, "body", MAX_BODY, body);

    if (!err && *body && !*iimg_text_trim(req->context->pool, *body)) {
        err = refuse(req, "body", "This field may not be blank.");
    }
    if (err) {
        *body = NULL;
    }
    return err;
}

static iimg_error_t *read_is_active(iimg_request_t *req, const iimg_input_t *input, bool *is_active)
{
    return iimg_input_is_null(input, "is_active")
               ? refuse(req, "is_active", "This field may not be null.")
               : iimg_input_bool(input, "is_active", is_active);
}

static iimg_error_t *read_type(const iimg_input_t *input, iimg_new_prompt_t *wanted)
{
    return iimg_input_choice(input, "prompt_type", iimg_prompt_types, &wanted->prompt_type);
}

static iimg_error_t *read_keys(const iimg_input_t *input, iimg_new_prompt_t *wanted)
{
    iimg_error_t *err = iimg_input_words(input, "required_context_keys", MAX_CONTEXT_KEYS,
                                         &wanted->required_context_keys);

    if (err) {
        wanted->required_context_keys = NULL;
    }
    return err;
}

static iimg_error_t *read_new(iimg_request_t *req, const iimg_input_t *input,
                              iimg_new_prompt_t *wanted)
{
    static const char *const required[] = { "prompt_type", "body", NULL };
    iimg_error_t *err;

    *wanted = (iimg_new_prompt_t){ .is_active = true };
    err = iimg_input_require(input, required);
    err = iimg_error_join(err, read_type(input, wanted));
    err = iimg_error_join(err, read_body(req, input, &wanted->body));
    err = iimg_error_join(err, read_is_active(req, input, &wanted->is_active));
    err = iimg_error_join(err, read_keys(input, wanted));
    err = iimg_error_join(err, iimg_check_new_prompt(req->context, wanted));
    if (!wanted->required_context_keys) {
        wanted->required_context_keys = apr_array_make(req->context->pool, 1, sizeof(char *));
    }
    return err;
}

/* A preview is of a stored version or of a body. */
static iimg_error_t *read_previewed(iimg_request_t *req, const iimg_input_t *input,
                                    iimg_preview_request_t *wanted)
{
    iimg_error_t *err = iimg_input_uuid(input, "prompt_id", &wanted->prompt_id);

    err = iimg_error_join(err, read_body(req, input, &wanted->body));
    if (err) {
        return err;
    }
    if (wanted->prompt_id && wanted->body) {
        return refuse(req, "body", "Send either a body or a prompt_id, not both.");
    }
    if (!wanted->prompt_id && !wanted->body) {
        return refuse(req, "body", "Send a body or a prompt_id.");
    }
    return NULL;
}

static iimg_error_t *read_identity(iimg_request_t *req, const iimg_input_t *input,
                                   iimg_preview_request_t *wanted)
{
    iimg_error_t *err = iimg_input_uuid(input, "identity_id", &wanted->identity_id);

    if (err) {
        return err;
    }
    return wanted->identity_id ? NULL : refuse(req, "identity_id", "This field is required.");
}

static iimg_error_t *read_preview(iimg_request_t *req, iimg_preview_request_t *wanted)
{
    iimg_input_t *input;
    iimg_error_t *err = iimg_request_input(req, &input);

    if (err) {
        return err;
    }
    err = iimg_error_join(read_identity(req, input, wanted), read_previewed(req, input, wanted));
    err = iimg_error_join(err,
                          iimg_input_optional(input, "additional_prompt", MAX_ADDITIONAL_PROMPT,
                                              &wanted->additional_prompt));
    if (!err && !wanted->additional_prompt) {
        wanted->additional_prompt = "";
    }
    return err;
}

/* Views --------------------------------------------------------------------------------------- */

iimg_error_t *iimg_view_prompt_list(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *prompts;
    const char *prompt_type;
    iimg_error_t *problem = read_filter(req, &prompt_type), *err;

    if (problem) {
        return iimg_refuse_list(req, problem);
    }
    err = iimg_list_prompts(req->context, prompt_type, &prompts);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 16384);
    iimg_json_array_open(out);
    for (int i = 0; i < prompts->nelts; i++) {
        iimg_prompt_serialize(out, &APR_ARRAY_IDX(prompts, i, iimg_prompt_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status, const iimg_prompt_t *prompt)
{
    apr_table_setn(req->r->headers_out, "Location",
                   apr_pstrcat(req->context->pool, req->context->base_url,
                               iimg_location_of(req->r)->base, "/prompts/", prompt->id, "/", NULL));
    return answer_prompt(req, status, prompt);
}

/* The version that the first request created, in its present state. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_prompt_t *prompt;
    iimg_error_t *err = iimg_get_prompt(req->context, replay->id, &prompt);

    if (err) {
        return iimg_replay_error(req, err);
    }
    return answer_created(req, replay->status, prompt);
}

iimg_error_t *iimg_view_prompt_create(iimg_request_t *req)
{
    iimg_new_prompt_t wanted;
    iimg_prompt_t *prompt;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_ROW_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (err) {
        return err;
    }
    if (replay) {
        return replay_create(req, replay);
    }
    err = read_new(req, input, &wanted);
    if (err) {
        return err;
    }
    err = iimg_create_prompt(req->context, &wanted, &prompt);
    if (err) {
        return err;
    }
    return answer_created(req, HTTP_CREATED, prompt);
}

iimg_error_t *iimg_view_prompt_retrieve(iimg_request_t *req)
{
    iimg_prompt_t *prompt;
    iimg_error_t *err = iimg_get_prompt(req->context, req->id, &prompt);

    if (err) {
        return err;
    }
    return answer_prompt(req, HTTP_OK, prompt);
}

iimg_error_t *iimg_view_prompt_update(iimg_request_t *req)
{
    iimg_prompt_t *prompt;
    iimg_input_t *input;
    bool is_active = false;
    iimg_error_t *err = iimg_get_prompt(req->context, req->id, &prompt);

    if (err) {
        return err;
    }
    err = iimg_check_prompt_version(req->context, prompt);
    if (err) {
        return err;
    }
    err = iimg_request_input(req, &input);
    if (err) {
        return err;
    }
    if (iimg_input_has(input, "body")) {
        err = refuse(req, "body", "A prompt's body cannot be changed; create a new version.");
    }
    err = iimg_error_join(err, read_is_active(req, input, &is_active));
    if (err) {
        return err;
    }
    if (iimg_input_has(input, "is_active")) {
        err = iimg_update_prompt(req->context, prompt->id, is_active, &prompt);
        if (err) {
            return err;
        }
    }
    return answer_prompt(req, HTTP_OK, prompt);
}

iimg_error_t *iimg_view_prompt_preview(iimg_request_t *req)
{
    iimg_json_t *out;
    iimg_preview_request_t wanted = { NULL, NULL, NULL, NULL };
    iimg_preview_t preview = { NULL, NULL, NULL, NULL };
    iimg_error_t *err = read_preview(req, &wanted);

    if (err) {
        return err;
    }
    err = iimg_preview_prompt(req->context, &wanted, &preview);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 8192);
    iimg_preview_serialize(out, &preview);
    return iimg_respond_json(req, HTTP_OK, out);
}
