/* request_generation.c - check a request for a picture and insert its job. */
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

typedef struct draft_t {
    const iimg_generation_request_t *request;
    bool room; /* this process has a free slot */
    iimg_identity_t *identity;
    iimg_prompt_t *prompt;
    apr_array_header_t *references; /* iimg_reference_image_t to send */
    int left_out;                   /* photos beyond the maximum of the model */
    iimg_loaded_references_t loaded;
    iimg_generation_job_t *job;      /* to insert */
    iimg_generation_job_t *inserted; /* the row in the database */
} draft_t;

/* Inputs -------------------------------------------------------------------------------------- */

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

static bool contains(const apr_array_header_t *references, const char *id)
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

        if (!contains(all, id)) {
            return iimg_error_invalid_field(context->pool, "reference_image_ids", NULL,
                                            "%s is not a reference image of this user that has "
                                            "a picture.",
                                            id);
        }
    }
    return NULL;
}

/* All photos that the request names must be sent. If it names none, the first slots are sent. */
static iimg_error_t *limit_references(iimg_context_t *context, draft_t *draft)
{
    int most = iimg_gemini_model_row(draft->request->model)->max_references;

    if (draft->references->nelts <= most) {
        return NULL;
    }
    if (draft->request->reference_image_ids) {
        return iimg_error_invalid_field(context->pool, "reference_image_ids", NULL,
                                        "The model %s takes at most %d reference images.",
                                        draft->request->model, most);
    }
    draft->left_out = draft->references->nelts - most;
    draft->references->nelts = most;
    return NULL;
}

static void warn_of_left_out(apr_pool_t *pool, draft_t *draft)
{
    if (draft->left_out) {
        APR_ARRAY_PUSH(draft->loaded.warnings, const char *) = apr_psprintf(
            pool, "The model %s takes at most %d reference images; %d %s left out.",
            draft->request->model, draft->references->nelts, draft->left_out,
            draft->left_out == 1 ? "was" : "were");
    }
}

static iimg_error_t *find_references(iimg_context_t *context, draft_t *draft)
{
    apr_array_header_t *all;
    iimg_error_t *err = iimg_reference_image_with_picture(context, draft->request->user_id, &all);

    if (err) {
        return err;
    }
    if (all->nelts == 0) {
        return iimg_error_with_code(context->pool, IIMG_INVALID, "no_references",
                                    "No reference images found for this user");
    }
    err = check_ids(context, draft->request, all);
    if (err) {
        return err;
    }
    draft->references = apr_array_make(context->pool, all->nelts, sizeof(iimg_reference_image_t));
    for (int i = 0; i < all->nelts; i++) {
        const iimg_reference_image_t *image = &APR_ARRAY_IDX(all, i, iimg_reference_image_t);

        if (is_wanted(draft->request, image->id)) {
            APR_ARRAY_PUSH(draft->references, iimg_reference_image_t) = *image;
        }
    }
    return limit_references(context, draft);
}

static iimg_error_t *find_inputs(iimg_context_t *context, draft_t *draft)
{
    iimg_error_t *err = iimg_identity_by_id(context, draft->request->identity_id, &draft->identity);

    if (err) {
        return err;
    }
    if (!draft->identity) {
        return iimg_identity_not_found(context);
    }
    err = find_references(context, draft);
    if (err) {
        return err;
    }
    err = iimg_prompt_active(context, "image_generation", &draft->prompt);
    if (err) {
        return err;
    }
    if (!draft->prompt) {
        return iimg_error_with_code(context->pool, IIMG_UNAVAILABLE, "no_active_prompt",
                                    "No active image generation prompt found");
    }
    return NULL;
}

/* The row ------------------------------------------------------------------------------------- */

/* The identity may have been deleted after it was read. */
static iimg_error_t *translate_missing_identity(iimg_context_t *context, iimg_error_t *err)
{
    bool gone = err && err->constraint
                && strcmp(err->constraint, "generation_jobs_identity_id_fkey") == 0;

    return gone ? iimg_identity_not_found(context) : err;
}

static iimg_error_t *claim_job(iimg_context_t *context, iimg_generation_job_t **job)
{
    iimg_error_t *err = iimg_generation_job_claim(context, (*job)->id, context->services->owner,
                                                  IIMG_GENERATION_LEASE, job);

    if (err) {
        return err;
    }
    return *job ? NULL : iimg_error_internal(context->pool, "the new job could not be claimed");
}

/* The idempotency key now refers to the job: a repeated request gets its result. A job that can run
 * now is claimed in the same transaction, so that a lost connection undoes both. */
static iimg_error_t *insert_job(iimg_context_t *context, void *baton)
{
    draft_t *draft = baton;
    iimg_generation_job_t *job = draft->job;
    bool now = draft->room;
    iimg_error_t *err = iimg_user_share(context, draft->request->user_id);

    draft->inserted = NULL;
    if (err) {
        return err;
    }
    err = iimg_admit_generation(context, job->expected_cost, &now);
    if (err) {
        return err;
    }
    err = translate_missing_identity(context, iimg_generation_job_insert(context, &job));
    if (err) {
        return err;
    }
    err = iimg_idempotency_record(context, IIMG_STATUS_OK, job->id);
    if (err) {
        return err;
    }
    if (now) {
        err = claim_job(context, &job);
        if (err) {
            return err;
        }
    }
    (void)IIMG_FAULT("generate.claimed");
    draft->inserted = job;
    return NULL;
}

static iimg_generation_job_t *build_job(iimg_context_t *context, const draft_t *draft)
{
    const iimg_generation_request_t *request = draft->request;
    const iimg_generator_t *generator = context->services->generator;
    iimg_generation_job_t *job = apr_pcalloc(context->pool, sizeof(*job));
    bool alias;

    job->identity_id = draft->identity->id;
    job->user_id = request->user_id;
    job->requested_by = context->caller->id;
    job->prompt_id = draft->prompt->id;
    job->prompt_version = apr_itoa(context->pool, draft->prompt->version);
    job->prompt_used = iimg_build_prompt(context->pool, draft->prompt, draft->identity,
                                         request->additional_prompt);
    job->additional_prompt = request->additional_prompt;
    job->save_to_identity = request->save_to_identity;
    job->generator = generator->name;
    job->model = generator->model ? generator->model : iimg_gemini_model(request->model, &alias);
    job->requested_model = request->model;
    job->aspect_ratio = request->aspect_ratio;
    job->resolution = request->resolution;
    job->reference_image_ids = draft->loaded.ids;
    job->warnings = draft->loaded.warnings;
    job->expected_cost = iimg_generation_expected_cost(context->services, request->model,
                                                       job->resolution);
    return job;
}

iimg_error_t *iimg_request_generation(iimg_context_t *context,
                                      const iimg_generation_request_t *request, bool room,
                                      iimg_generation_job_t **job)
{
    draft_t draft = { .request = request, .room = room };
    iimg_error_t *err = find_inputs(context, &draft);

    *job = NULL;
    if (err) {
        return err;
    }
    err = iimg_load_references(context, draft.references, &draft.loaded);
    if (err) {
        return err;
    }
    warn_of_left_out(context->pool, &draft);
    draft.job = build_job(context, &draft);
    err = iimg_db_transaction(context, insert_job, &draft);
    if (err) {
        return err;
    }
    context->idempotency = NULL; /* from now on the row has the outcome */
    (void)IIMG_FAULT("generate.inserted");
    *job = draft.inserted;
    /* Later log lines of the job have its id in place of the request id. */
    iimg_log(context, IIMG_LOG_DEBUG, "generation %s was requested", (*job)->id);
    return NULL;
}
