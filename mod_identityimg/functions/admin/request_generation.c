/* request_generation.c - what is asked for, checked, becomes the row of a job that is to be run. */
#include "functions/admin/admin.h"

#include <string.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "functions/shared/build_prompt.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/not_found.h"
#include "services/gemini/request.h"
#include "services/generation_price.h"

typedef struct asked_t {
    const iimg_generation_request_t *request;
    bool room; /* this process could run it now */
    iimg_identity_t *identity;
    iimg_prompt_t *prompt;
    apr_array_header_t *references; /* iimg_reference_image_t that go along */
    int left_out;                   /* of all: more than the model takes */
    iimg_loaded_references_t loaded;
    iimg_generation_job_t *job;      /* as it is to be */
    iimg_generation_job_t *inserted; /* as the database has it */
} asked_t;

/* What goes in ----------------------------------------------------------------------------------
 */

static bool is_wanted(const iimg_generation_request_t *request, const char *id)
{
    const apr_array_header_t *ids = request->reference_image_ids;

    for (int i = 0; ids && i < ids->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(ids, i, const char *), id) == 0) {
            return true;
        }
    }
    return ids == NULL;
}

static bool is_there(const apr_array_header_t *references, const char *id)
{
    for (int i = 0; i < references->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(references, i, iimg_reference_image_t).id, id) == 0) {
            return true;
        }
    }
    return false;
}

static iimg_error_t *check_ids(iimg_context_t *context, const iimg_generation_request_t *request,
                               const apr_array_header_t *all)
{
    const apr_array_header_t *ids = request->reference_image_ids;

    if (ids && ids->nelts == 0) {
        return iimg_error_invalid_field(context->pool, "reference_image_ids", NULL,
                                        "This list may not be empty.");
    }
    for (int i = 0; ids && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (!is_there(all, id)) {
            return iimg_error_invalid_field(context->pool, "reference_image_ids", NULL,
                                            "%s is not a reference image of this user that has "
                                            "a picture.",
                                            id);
        }
    }
    return NULL;
}

/* Photos that the request names must all be used; if it names none, those of the first slots are
 * used. */
static iimg_error_t *limit_references(iimg_context_t *context, asked_t *asked)
{
    int most = iimg_gemini_model_row(asked->request->model)->max_references;

    if (asked->references->nelts <= most) {
        return NULL;
    }
    if (asked->request->reference_image_ids) {
        return iimg_error_invalid_field(context->pool, "reference_image_ids", NULL,
                                        "The model %s takes at most %d reference images.",
                                        asked->request->model, most);
    }
    asked->left_out = asked->references->nelts - most;
    asked->references->nelts = most;
    return NULL;
}

static void warn_of_left_out(apr_pool_t *pool, asked_t *asked)
{
    if (asked->left_out) {
        APR_ARRAY_PUSH(asked->loaded.warnings, const char *) = apr_psprintf(
            pool, "The model %s takes at most %d reference images; %d %s left out.",
            asked->request->model, asked->references->nelts, asked->left_out,
            asked->left_out == 1 ? "was" : "were");
    }
}

static iimg_error_t *find_references(iimg_context_t *context, asked_t *asked)
{
    apr_array_header_t *all;
    iimg_error_t *err = iimg_reference_image_with_picture(context, asked->request->user_id, &all);

    if (err) {
        return err;
    }
    if (all->nelts == 0) {
        return iimg_error_with_code(context->pool, IIMG_INVALID, "no_references",
                                    "No reference images found for this user");
    }
    err = check_ids(context, asked->request, all);
    if (err) {
        return err;
    }
    asked->references = apr_array_make(context->pool, all->nelts, sizeof(iimg_reference_image_t));
    for (int i = 0; i < all->nelts; i++) {
        const iimg_reference_image_t *one = &APR_ARRAY_IDX(all, i, iimg_reference_image_t);

        if (is_wanted(asked->request, one->id)) {
            APR_ARRAY_PUSH(asked->references, iimg_reference_image_t) = *one;
        }
    }
    return limit_references(context, asked);
}

static iimg_error_t *find_inputs(iimg_context_t *context, asked_t *asked)
{
    iimg_error_t *err = iimg_identity_by_id(context, asked->request->identity_id, &asked->identity);

    if (err) {
        return err;
    }
    if (!asked->identity) {
        return iimg_identity_not_found(context);
    }
    err = find_references(context, asked);
    if (err) {
        return err;
    }
    err = iimg_prompt_active(context, "image_generation", &asked->prompt);
    if (err) {
        return err;
    }
    if (!asked->prompt) {
        return iimg_error_with_code(context->pool, IIMG_UNAVAILABLE, "no_active_prompt",
                                    "No active image generation prompt found");
    }
    return NULL;
}

/* The row ------------------------------------------------------------------------------------- */

/* It may have been deleted since it was looked up. */
static iimg_error_t *without_identity(iimg_context_t *context, iimg_error_t *err)
{
    bool gone = err && err->constraint
                && strcmp(err->constraint, "generation_jobs_identity_id_fkey") == 0;

    return gone ? iimg_identity_not_found(context) : err;
}

static iimg_error_t *claim(iimg_context_t *context, iimg_generation_job_t **job)
{
    iimg_error_t *err = iimg_generation_job_claim(context, (*job)->id, context->services->owner,
                                                  IIMG_GENERATION_LEASE, job);

    return err || *job ? err : iimg_error(context->pool, IIMG_INTERNAL, "Internal server error");
}

/* From here on the key stands for the job: whoever sends the request again is given its result. A
 * job that can be run now is claimed here as well: a lost connection repeats all of it or nothing.
 */
static iimg_error_t *insert_job(iimg_context_t *context, void *baton)
{
    asked_t *asked = baton;
    iimg_generation_job_t *job = asked->job;
    bool now = asked->room;
    iimg_error_t *err = iimg_user_share(context, asked->request->user_id);

    if (!err) {
        err = iimg_admit_generation(context, job->expected_cost, &now);
    }
    if (!err) {
        err = without_identity(context, iimg_generation_job_insert(context, &job));
    }
    if (!err) {
        err = iimg_idempotency_record(context, IIMG_STATUS_OK, job->id);
    }
    if (!err && now) {
        err = claim(context, &job);
    }
    (void)IIMG_FAULT("generate.claimed");
    asked->inserted = err ? NULL : job;
    return err;
}

static iimg_generation_job_t *draft(iimg_context_t *context, const asked_t *asked)
{
    const iimg_generation_request_t *request = asked->request;
    const iimg_generator_t *generator = context->services->generator;
    iimg_generation_job_t *job = apr_pcalloc(context->pool, sizeof(*job));
    bool alias;

    job->identity_id = asked->identity->id;
    job->user_id = request->user_id;
    job->requested_by = context->caller->id;
    job->prompt_id = asked->prompt->id;
    job->prompt_version = apr_itoa(context->pool, asked->prompt->version);
    job->prompt_used = iimg_build_prompt(context->pool, asked->prompt, asked->identity,
                                         request->additional_prompt);
    job->additional_prompt = request->additional_prompt;
    job->save_to_identity = request->save_to_identity;
    job->generator = generator->name;
    job->model = generator->model ? generator->model : iimg_gemini_model(request->model, &alias);
    job->requested_model = request->model;
    job->aspect_ratio = request->aspect_ratio;
    job->resolution = request->resolution;
    job->reference_image_ids = asked->loaded.ids;
    job->warnings = asked->loaded.warnings;
    job->expected_cost = iimg_generation_expected_cost(context->services, request->model,
                                                       job->resolution);
    return job;
}

iimg_error_t *iimg_request_generation(iimg_context_t *context,
                                      const iimg_generation_request_t *request, bool room,
                                      iimg_generation_job_t **job)
{
    asked_t asked = { .request = request, .room = room };
    iimg_error_t *err = find_inputs(context, &asked);

    *job = NULL;
    if (err) {
        return err;
    }
    err = iimg_load_references(context, asked.references, &asked.loaded);
    if (err) {
        return err;
    }
    warn_of_left_out(context->pool, &asked);
    asked.job = draft(context, &asked);
    err = iimg_db_transaction(context, insert_job, &asked);
    if (err) {
        return err;
    }
    context->idempotency = NULL; /* what comes of the job comes of its row */
    (void)IIMG_FAULT("generate.inserted");
    *job = asked.inserted;
    /* Lines of the job bear its own id. */
    iimg_log(context, IIMG_LOG_DEBUG, "generation %s was asked for", (*job)->id);
    return NULL;
}
