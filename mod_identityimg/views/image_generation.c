/* image_generation.c - users and options of generations, and generating a picture. */
#include "views/views.h"

#include <string.h>
#include <apr_strings.h>
#include "base/media_type.h"
#include "functions/admin/admin.h"
#include "serializers/serializers.h"
#include "server/jobs/wait.h"
#include "server/jobs/engine.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "services/gemini/model.h"
#include "views/shared.h"

#define MAX_ADDITIONAL_PROMPT 10000 /* characters */
#define MARGIN                60 /* seconds beyond the provider's timeout, for the queue and the store */

iimg_error_t *iimg_view_image_generation_users(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *users;
    iimg_error_t *err = iimg_list_available_users(req->context, &users);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 4096);
    iimg_json_array_open(out);
    for (int i = 0; i < users->nelts; i++) {
        iimg_available_user_serialize(out, &APR_ARRAY_IDX(users, i, iimg_available_user_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

static void write_limits(iimg_json_t *out, const iimg_request_t *req)
{
    const iimg_image_limits_t *limits = &req->context->services->pictures.limits;

    iimg_json_key(out, "limits");
    iimg_json_object_open(out);
    iimg_json_key(out, "max_upload");
    iimg_json_integer(out, req->config->max_upload);
    iimg_json_key(out, "max_pixels");
    iimg_json_integer(out, (long long)limits->max_pixels);
    iimg_json_key(out, "max_pixels_jpeg");
    iimg_json_integer(out, (long long)limits->max_pixels_jpeg);
    iimg_json_key(out, "formats");
    iimg_json_array_open(out);
    for (int i = 0; iimg_media_type_read(i); i++) {
        iimg_json_string(out, iimg_media_type_read(i)->media_type);
    }
    iimg_json_array_close(out);
    iimg_json_key(out, "slots");
    iimg_json_integer(out, IIMG_REFERENCE_IMAGE_SLOTS);
    iimg_json_key(out, "max_additional_prompt");
    iimg_json_integer(out, MAX_ADDITIONAL_PROMPT);
    iimg_json_object_close(out);
}

iimg_error_t *iimg_view_image_generation_options(iimg_request_t *req)
{
    const iimg_services_t *services = req->context->services;
    const iimg_model_option_t *preferred;
    apr_array_header_t *models;
    iimg_json_t *out;
    iimg_error_t *err = iimg_get_generation_options(req->context, &models);

    if (err) {
        return err;
    }
    preferred = &APR_ARRAY_IDX(models, 0, iimg_model_option_t);
    out = iimg_respond_begin(req, 4096);
    iimg_json_object_open(out);
    iimg_json_member(out, "generator", services->generator->name);
    iimg_json_key(out, "models");
    iimg_model_options_serialize(out, models, services);
    iimg_json_key(out, "aspect_ratios");
    iimg_choices_serialize(out, iimg_aspect_ratios, services->aspect_ratio);
    /* for clients that do not choose a model */
    iimg_json_key(out, "resolutions");
    iimg_resolution_options_serialize(out, preferred->resolutions, services->resolution);
    write_limits(out, req);
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

static iimg_error_t *read_required_uuid(const iimg_request_t *req, const iimg_input_t *input,
                                        const char *name, const char **value)
{
    iimg_error_t *err = iimg_input_uuid(input, name, value);

    if (err) {
        return err;
    }
    if (!*value) {
        return iimg_error_invalid_field(req->context->pool, name, NULL, "This field is required.");
    }
    return NULL;
}

/* The model limits the choices. The default is the server's if the model has it, else the model's.
 */
static iimg_error_t *read_size(const iimg_request_t *req, const iimg_input_t *input,
                               iimg_generation_request_t *wanted)
{
    const iimg_services_t *services = req->context->services;
    const iimg_gemini_model_t *model = iimg_gemini_model_row(wanted->model);
    iimg_error_t *err;

    wanted->aspect_ratio = iimg_gemini_model_ratio(model, services->aspect_ratio);
    wanted->resolution = iimg_gemini_model_resolution(model, services->resolution);
    err = iimg_input_choice_if_any(input, "aspect_ratio", model->aspect_ratios,
                                   &wanted->aspect_ratio);
    return iimg_error_join(err, iimg_input_choice_if_any(input, "resolution", model->resolutions,
                                                         &wanted->resolution));
}

static iimg_error_t *read_options(iimg_request_t *req, const iimg_input_t *input,
                                  iimg_generation_request_t *wanted)
{
    apr_array_header_t *ids = NULL;
    iimg_error_t *err = iimg_input_optional(input, "additional_prompt", MAX_ADDITIONAL_PROMPT,
                                            &wanted->additional_prompt);
    iimg_error_t *model_error = iimg_input_choice_if_any(
        input, "model", req->context->services->models, &wanted->model);

    err = iimg_error_join(err,
                          iimg_input_bool(input, "save_to_identity", &wanted->save_to_identity));
    err = iimg_error_join(err, read_size(req, input, wanted));
    err = iimg_error_join(err, model_error);
    err = iimg_error_join(
        err, iimg_input_uuids(input, "reference_image_ids", IIMG_REFERENCE_IMAGE_SLOTS, &ids));
    wanted->reference_image_ids = ids;
    wanted->additional_prompt = wanted->additional_prompt ? wanted->additional_prompt : "";
    return err;
}

static iimg_error_t *read_request(iimg_request_t *req, const iimg_input_t *input,
                                  iimg_generation_request_t *wanted)
{
    const iimg_services_t *services = req->context->services;
    iimg_error_t *err;

    *wanted = (iimg_generation_request_t){ .model = services->model };
    err = read_required_uuid(req, input, "identity_id", &wanted->identity_id);
    err = iimg_error_join(err, read_required_uuid(req, input, "user_id", &wanted->user_id));
    return iimg_error_join(err, read_options(req, input, wanted));
}

static iimg_error_t *answer_generation(iimg_request_t *req, const iimg_generation_t *made)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err = iimg_respond_signer(req, &signer);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 8192);
    iimg_json_object_open(out);
    iimg_json_key(out, "success");
    iimg_json_bool(out, true);
    iimg_json_member(out, "image_url", iimg_media_url(signer, made->job->image, NULL));
    if (made->identity) {
        iimg_json_key(out, "identity");
        iimg_identity_serialize(out, signer, made->identity);
    }
    iimg_json_key(out, "job");
    iimg_generation_job_serialize(out, signer, made->job);
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

/* Generating ---------------------------------------------------------------------------------- */

static iimg_error_t *insert_job(iimg_request_t *req, const iimg_input_t *input, bool room,
                                iimg_generation_job_t **job)
{
    iimg_generation_request_t wanted;
    iimg_error_t *err = read_request(req, input, &wanted);

    if (err) {
        return err;
    }
    return iimg_request_generation(req->context, &wanted, room, job);
}

/* Inserts a job. If it may run now, this child runs it, also if the client disconnects. */
static iimg_error_t *begin_job(iimg_request_t *req, const iimg_input_t *input, const char **job_id)
{
    bool room = iimg_engine_reserve(req->r->server);
    iimg_generation_job_t *job = NULL;
    iimg_error_t *err = insert_job(req, input, room, &job);
    bool running = !err && strcmp(job->state, "running") == 0;

    if (room && !running) {
        iimg_engine_release();
    }
    if (err) {
        return err;
    }
    if (running) {
        iimg_engine_run(req->r->server, job->id);
    }
    if (strcmp(job->state, "queued") == 0) {
        iimg_engine_poll();
    }
    *job_id = job->id;
    return NULL;
}

/* 202 with the job and its location */
static iimg_error_t *answer_accepted(iimg_request_t *req, const char *job_id)
{
    const char *base = iimg_location_of(req->r)->base;
    iimg_generation_job_t *job;
    iimg_media_signer_t *signer;
    iimg_json_t *out;
    iimg_error_t *err = iimg_get_generation_job(req->context, job_id, &job);

    if (err) {
        return err;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    apr_table_setn(req->r->headers_out, "Location",
                   apr_pstrcat(req->r->pool, req->context->base_url, base,
                               "/image-generation/jobs/", job_id, "/", NULL));
    apr_table_setn(req->r->headers_out, "Preference-Applied", "respond-async");
    out = iimg_respond_begin(req, 8192);
    iimg_generation_job_serialize(out, signer, job);
    return iimg_respond_json(req, HTTP_ACCEPTED, out);
}

static iimg_error_t *answer_finished(iimg_request_t *req, const char *job_id)
{
    iimg_generation_t generation;
    iimg_error_t *err = iimg_answer_generation(req->context, job_id, &generation);

    if (err) {
        return err;
    }
    return answer_generation(req, &generation);
}

/* With respond-async, a client may still wait for some seconds. */
static iimg_error_t *answer_present(iimg_request_t *req, const char *job_id)
{
    iimg_generation_job_t *job;
    iimg_error_t *err = iimg_get_generation_job(req->context, job_id, &job);

    if (err) {
        return err;
    }
    return strcmp(job->state, "queued") == 0 || strcmp(job->state, "running") == 0
               ? answer_accepted(req, job_id)
               : answer_finished(req, job_id);
}

/* A repeated request with the same idempotency key gets the same job. */
static iimg_error_t *find_or_begin(iimg_request_t *req, const char **job_id)
{
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PICTURE_SECONDS,
                                                &input, &replay);

    if (err) {
        return err;
    }
    if (replay) {
        *job_id = replay->id;
        return NULL;
    }
    return begin_job(req, input, job_id);
}

/* A waiting request needs the id of the job only: the pool of all else is destroyed. */
static iimg_error_t *get_job_id(iimg_request_t *req, const char **job_id)
{
    iimg_context_t *whole = req->context, brief;
    iimg_error_t *err;

    if (!iimg_context_brief(whole, &brief)) {
        return iimg_error(whole->pool, IIMG_UNAVAILABLE,
                          "The server is out of memory. Try again later.");
    }
    req->context = &brief;
    err = find_or_begin(req, job_id);
    req->context = whole;
    whole->idempotency = brief.idempotency;
    if (err) {
        return err; /* allocated from brief.pool */
    }
    *job_id = apr_pstrdup(whole->pool, *job_id);
    apr_pool_destroy(brief.pool);
    return NULL;
}

/* Waits for the picture. If too many requests wait, refuse before the job is inserted. */
static iimg_error_t *generate_and_wait(iimg_request_t *req)
{
    int seconds = req->context->services->generator_settings.timeout + MARGIN;
    iimg_wait_condition_t condition = { .version = -1, .answer = answer_finished };
    iimg_error_t *err;

    if (!iimg_wait_reserve(req)) {
        return iimg_wait_refuse(req);
    }
    err = get_job_id(req, &condition.job_id);
    if (err) {
        iimg_wait_release(req);
        return err;
    }
    condition.deadline = apr_time_now() + apr_time_from_sec(seconds);
    return iimg_wait_and_answer(req, &condition);
}

iimg_error_t *iimg_view_image_generation_generate(iimg_request_t *req)
{
    iimg_wait_condition_t condition = { .version = -1, .answer = answer_present };
    iimg_prefer_t prefer;
    iimg_error_t *err;

    iimg_wait_prefer(req, &prefer);
    if (!prefer.respond_async) {
        return generate_and_wait(req);
    }
    err = get_job_id(req, &condition.job_id);
    if (err) {
        return err;
    }
    if (prefer.wait <= 0 || !iimg_wait_reserve(req)) {
        return answer_accepted(req, condition.job_id);
    }
    condition.deadline = iimg_wait_deadline(prefer.wait);
    return iimg_wait_and_answer(req, &condition);
}
