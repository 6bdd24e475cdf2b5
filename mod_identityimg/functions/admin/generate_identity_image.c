/* generate_identity_image.c - a row first, the provider second, the store third, the row again. */
#include "functions/admin/admin.h"

#include <string.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "services/generation_price.h"

#define SAVE_TRIES 5            /* a picture that was paid for is worth waiting for the store */
#define LEASE_MARGIN 120        /* seconds beyond the provider's time limit */

typedef struct generating_t {
    const iimg_generation_request_t *request;
    iimg_identity_t *identity;
    iimg_prompt_t *prompt;
    apr_array_header_t *references;     /* iimg_reference_image_t that go along */
    iimg_generator_reference_t *loaded;
    int loaded_count;
    apr_array_header_t *loaded_ids;     /* const char * */
    apr_array_header_t *warnings;       /* const char * */
    iimg_generation_job_t *job;         /* as the database has it; before that, as it is to be */
    iimg_generation_job_t *inserted;
    iimg_generator_result_t *result;
    iimg_stored_picture_t stored;
    iimg_generation_outcome_t outcome;
} generating_t;

static void warn(iimg_context_t *context, generating_t *g, const char *sentence)
{
    APR_ARRAY_PUSH(g->warnings, const char *) = sentence;
    iimg_log(context, IIMG_LOG_WARNING, "IIMG0110: %s", sentence);
}

/* What goes in ---------------------------------------------------------------------------------- */

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
        return iimg_error_field(iimg_error(context->pool, IIMG_INVALID,
                                           "This list may not be empty."), "reference_image_ids");
    }
    for (int i = 0; ids && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (!is_there(all, id)) {
            return iimg_error_field(iimg_error(context->pool, IIMG_INVALID,
                                               "%s is not a reference image of this user that has "
                                               "a picture.", id), "reference_image_ids");
        }
    }
    return NULL;
}

static iimg_error_t *find_references(iimg_context_t *context, generating_t *g)
{
    apr_array_header_t *all;
    iimg_error_t *err = iimg_reference_image_with_picture(context, g->request->user_id, &all);

    if (!err && all->nelts == 0) {
        err = iimg_error_code(iimg_error(context->pool, IIMG_INVALID,
                                         "No reference images found for this user"),
                              "no_references");
    }
    if (!err) {
        err = check_ids(context, g->request, all);
    }
    if (err) {
        return err;
    }
    g->references = apr_array_make(context->pool, all->nelts, sizeof(iimg_reference_image_t));
    for (int i = 0; i < all->nelts; i++) {
        const iimg_reference_image_t *one = &APR_ARRAY_IDX(all, i, iimg_reference_image_t);

        if (is_wanted(g->request, one->id)) {
            APR_ARRAY_PUSH(g->references, iimg_reference_image_t) = *one;
        }
    }
    return NULL;
}

static iimg_error_t *find_inputs(iimg_context_t *context, generating_t *g)
{
    iimg_error_t *err = iimg_identity_by_id(context, g->request->identity_id, &g->identity);

    if (!err && !g->identity) {
        err = iimg_identity_not_found(context);
    }
    if (!err) {
        err = find_references(context, g);
    }
    if (!err) {
        err = iimg_prompt_active(context, "image_generation", &g->prompt);
    }
    if (!err && !g->prompt) {
        err = iimg_error_code(iimg_error(context->pool, IIMG_UNAVAILABLE,
                                         "No active image generation prompt found"),
                              "no_active_prompt");
    }
    return err;
}

/* One reference in the form in which it leaves the house. */
static iimg_error_t *load_one(iimg_context_t *context, const iimg_reference_image_t *image,
                              iimg_generator_reference_t *reference)
{
    const iimg_services_t *services = context->services;
    iimg_bytes_t bytes = { .file = -1 };
    iimg_derivative_t jpeg;
    iimg_error_t *err = services->storage.driver->get(context, &services->storage,
                                                      image->picture.key, services->max_object,
                                                      &bytes.data, &bytes.length);

    if (!err) {
        err = iimg_image_reference(context, &services->pictures, &bytes, services->reference_side,
                                   &jpeg);
    }
    if (!err) {
        *reference = (iimg_generator_reference_t){ jpeg.data, jpeg.length, "image/jpeg" };
    }
    return err;
}

static iimg_error_t *load_references(iimg_context_t *context, generating_t *g)
{
    apr_pool_t *pool = context->pool;

    g->loaded = apr_pcalloc(pool, (apr_size_t)g->references->nelts * sizeof(*g->loaded));
    g->loaded_ids = apr_array_make(pool, g->references->nelts, sizeof(const char *));
    for (int i = 0; i < g->references->nelts; i++) {
        const iimg_reference_image_t *one = &APR_ARRAY_IDX(g->references, i,
                                                           iimg_reference_image_t);
        iimg_error_t *err = load_one(context, one, &g->loaded[g->loaded_count]);

        if (!err) {
            g->loaded_count++;
            APR_ARRAY_PUSH(g->loaded_ids, const char *) = one->id;
            continue;
        }
        if (err->kind == IIMG_UNAVAILABLE) {    /* it is there: a picture without it is another one */
            return err;
        }
        warn(context, g, apr_psprintf(pool, "Reference image %s could not be loaded and was left "
                                      "out.", one->id));
        iimg_log(context, IIMG_LOG_DEBUG, "reference %s: %s", one->id,
                 err->detail ? err->detail : err->message);
    }
    if (g->loaded_count == 0) {
        return iimg_error_code(iimg_error(pool, IIMG_INVALID,
                                          "Could not load any reference images"),
                               "no_readable_references");
    }
    return NULL;
}

/* The row ------------------------------------------------------------------------------------- */

static iimg_error_t *claim_job(iimg_context_t *context, iimg_generation_job_t **job)
{
    const iimg_services_t *services = context->services;
    iimg_error_t *err = iimg_generation_job_claim(context, (*job)->id, services->owner,
                                                  services->generator_settings.timeout
                                                      + LEASE_MARGIN, job);

    if (!err && !*job) {
        err = iimg_error_code(iimg_error(context->pool, IIMG_CONFLICT,
                                         "The generation was canceled before the provider was "
                                         "asked."), "generation_canceled");
    }
    (void)IIMG_FAULT("generate.claimed");
    return err;
}

/* It may have been deleted since it was looked up. */
static iimg_error_t *without_identity(iimg_context_t *context, iimg_error_t *err)
{
    bool gone = err && err->constraint
                && strcmp(err->constraint, "generation_jobs_identity_id_fkey") == 0;

    return gone ? iimg_identity_not_found(context) : err;
}

/* Whoever sends the request again finds this job. Claimed here as well: a lost connection repeats all
 * of it or nothing, and no job is left that nobody runs. */
static iimg_error_t *insert_job(iimg_context_t *context, void *baton)
{
    generating_t *g = baton;
    iimg_generation_job_t *job = g->job;
    iimg_error_t *err = iimg_user_share(context, g->request->user_id);

    if (!err) {
        err = iimg_admit_generation(context, job->expected_cost);
    }
    if (!err) {
        err = without_identity(context, iimg_generation_job_insert(context, &job));
    }
    if (!err) {
        err = iimg_idempotency_record(context, 0, job->id);
    }
    if (!err) {
        err = claim_job(context, &job);
    }
    if (!err) {
        g->inserted = job;
    }
    return err;
}

static iimg_error_t *write_job(iimg_context_t *context, generating_t *g)
{
    const iimg_generation_request_t *request = g->request;
    iimg_generation_job_t *job = apr_pcalloc(context->pool, sizeof(*job));
    iimg_error_t *err;

    job->identity_id = g->identity->id;
    job->user_id = request->user_id;
    job->requested_by = context->caller->id;
    job->prompt_id = g->prompt->id;
    job->prompt_version = apr_itoa(context->pool, g->prompt->version);
    job->prompt_used = iimg_build_prompt(context->pool, g->prompt, g->identity,
                                         request->additional_prompt);
    job->additional_prompt = request->additional_prompt;
    job->save_to_identity = request->save_to_identity;
    job->generator = context->services->generator->name;
    job->model = request->model;
    job->aspect_ratio = request->aspect_ratio;
    job->resolution = request->resolution;
    job->reference_image_ids = g->loaded_ids;
    job->warnings = g->warnings;
    job->expected_cost = iimg_generation_expected_cost(context->services, job->model,
                                                       job->resolution);
    g->job = job;
    err = iimg_db_transaction(context, insert_job, g);
    g->job = g->inserted;
    (void)IIMG_FAULT("generate.inserted");
    return err;
}

/* The provider -------------------------------------------------------------------------------- */

static iimg_error_t *ask_generator(iimg_context_t *context, generating_t *g)
{
    const iimg_services_t *services = context->services;
    apr_time_t began = iimg_step_begin(context);
    iimg_generator_request_t ask = {
        .prompt = g->job->prompt_used, .identity_name = g->identity->name,
        .identity_category = g->identity->category, .i_am_statement = g->identity->i_am_statement,
        .visualization = g->identity->visualization, .model = g->job->model,
        .aspect_ratio = g->job->aspect_ratio, .resolution = g->job->resolution,
        .references = g->loaded, .reference_count = g->loaded_count,
    };
    iimg_error_t *err;

    if (!iimg_generator_size(ask.aspect_ratio, ask.resolution, &ask.width, &ask.height)) {
        return iimg_error(context->pool, IIMG_INTERNAL, "Internal server error");
    }
    err = services->generator->generate(context, &services->generator_settings, &ask, &g->result);
    iimg_step_end(context, began, "provider", services->generator->name);
    return err;
}

/* What the provider told beside the picture, or instead of it. */
static void take_facts(generating_t *g)
{
    if (g->result) {
        g->outcome.usage = g->result->usage;
        g->outcome.cost = g->result->cost;
        g->outcome.warnings = g->result->warnings;
    }
}

/* Only a picture that opens is one. */
static iimg_error_t *look_at_result(iimg_context_t *context, generating_t *g)
{
    const iimg_media_type_t *type = iimg_media_type_sniff(g->result->data, g->result->length);
    iimg_bytes_t bytes = { g->result->data, g->result->length, -1, 0 };
    iimg_error_t *err = iimg_image_size(context, &context->services->pictures, &bytes,
                                        &g->outcome.width, &g->outcome.height);

    if (err && (err->kind == IIMG_BUSY || err->kind == IIMG_UNAVAILABLE)) {
        return err;
    }
    if (err) {
        return iimg_error_detail(
            iimg_error_code(iimg_error(context->pool, IIMG_UPSTREAM,
                                       "The image provider sent something that is no picture."),
                            "provider_reply"), "%s", err->detail ? err->detail : err->message);
    }
    g->outcome.media_type = type->media_type;
    take_facts(g);
    return NULL;
}

/* The store and the row again ------------------------------------------------------------------ */

/* A picture that was paid for is kept, whoever has the key by now. */
static iimg_error_t *record_success(iimg_context_t *context, const char *id)
{
    iimg_error_t *err = iimg_idempotency_record(context, IIMG_STATUS_OK, id);

    return err && err->kind == IIMG_CONFLICT ? NULL : err;
}

static iimg_error_t *finish_row(iimg_context_t *context, void *baton)
{
    generating_t *g = baton;
    const char *id = g->job->id;
    iimg_generation_job_t *job = NULL;
    iimg_error_t *err = NULL;

    if (g->outcome.image) {
        /* Who is deleted takes along the pictures made from his photos: none may come after. */
        err = iimg_user_share(context, g->request->user_id);
    }
    if (!err) {
        err = iimg_generation_job_finish(context, id, context->services->owner, &g->outcome, &job);
    }
    if (!err && !job) {
        return iimg_error(context->pool, IIMG_CONFLICT,
                          "The generation was ended meanwhile; its picture was not kept.");
    }
    if (!err && g->outcome.image) {
        err = iimg_publish_picture(context, &g->stored);
    }
    if (!err && strcmp(job->state, "succeeded") == 0) {
        err = record_success(context, id);
    }
    if (!err) {
        g->job = job;
    }
    return err;
}

/* When the answer to COMMIT was lost, the row tells whether it happened. */
static bool was_kept(iimg_context_t *context, generating_t *g)
{
    iimg_generation_job_t *job;

    if (!context->lost_commit || iimg_generation_job_by_id(context, g->job->id, &job) || !job
        || !job->image || strcmp(job->image, g->stored.picture.key) != 0) {
        return false;
    }
    g->job = job;
    return true;
}

static iimg_error_t *keep_once(iimg_context_t *context, generating_t *g)
{
    const iimg_media_type_t *type = iimg_media_type_sniff(g->result->data, g->result->length);
    iimg_error_t *err = iimg_store_generated(context, g->result->data, g->result->length, type,
                                             &g->stored);

    if (err) {
        return err;
    }
    g->outcome.image = g->stored.picture.key;
    err = iimg_db_transaction(context, finish_row, g);
    if (err && was_kept(context, g)) {
        return NULL;
    }
    if (err) {
        iimg_abandon_picture(context, &g->stored);
    }
    return err;
}

/* The picture is there and may have been paid for: wait for a store or database that is away. */
static iimg_error_t *keep_result(iimg_context_t *context, generating_t *g)
{
    apr_interval_time_t pause = APR_USEC_PER_SEC / 2;
    iimg_error_t *err = keep_once(context, g);

    for (int i = 1; i < SAVE_TRIES && err && err->kind == IIMG_UNAVAILABLE; i++) {
        apr_sleep(pause);
        pause *= 2;
        err = keep_once(context, g);
    }
    if (err && err->kind == IIMG_UNAVAILABLE) {
        err->message = "The picture was made, but it could not be kept: the store or the database "
                       "is not available.";
    }
    return err;
}

/* Whether a call that failed was paid for: "t", "f", or NULL when only the provider knows. */
static const char *billed(const iimg_context_t *context, const generating_t *g,
                          const iimg_error_t *cause)
{
    if (!context->services->generator->billed) {
        return "f";
    }
    return g->result && g->result->data ? "t" : cause->billed;
}

static void fail_job(iimg_context_t *context, generating_t *g, const iimg_error_t *cause)
{
    iimg_error_t *err;

    memset(&g->outcome, 0, sizeof(g->outcome));
    g->outcome.error_code = cause->code ? cause->code : "failed";
    g->outcome.error_detail = cause->message;
    g->outcome.error_billed = billed(context, g, cause);
    take_facts(g);
    err = iimg_db_transaction(context, finish_row, g);
    if (err) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0111: generation %s failed, and its row could not be told: %s", g->job->id,
                 err->detail ? err->detail : err->message);
    }
}

static iimg_error_t *was_canceled(iimg_context_t *context, const iimg_generation_job_t *job)
{
    return iimg_error_code(iimg_error(context->pool, IIMG_CONFLICT,
                                      "The generation was canceled after the provider was asked. "
                                      "Its picture is kept with job %s.", job->id),
                           "generation_canceled");
}

static iimg_error_t *run_job(iimg_context_t *context, generating_t *g)
{
    iimg_error_t *err = ask_generator(context, g);

    (void)IIMG_FAULT("generate.made");
    if (!err) {
        err = look_at_result(context, g);
    }
    if (!err) {
        err = keep_result(context, g);
        (void)IIMG_FAULT("generate.kept");
    }
    if (err) {
        fail_job(context, g, err);
        return err;
    }
    return strcmp(g->job->state, "canceled") == 0 ? was_canceled(context, g->job) : NULL;
}

/* The picture is kept with its job whatever happens here: the error says so. */
static iimg_error_t *save_result(iimg_context_t *context, generating_t *g,
                                 iimg_generation_t *generation)
{
    iimg_error_t *err = iimg_save_image_to_identity(context, g->identity->id, g->job,
                                                    g->result->data, g->result->length,
                                                    &generation->identity);

    if (err) {
        err->message = apr_psprintf(context->pool, "The picture was made and is kept as job %s, "
                                    "but could not be saved to the identity: %s", g->job->id,
                                    err->message);
    }
    return err;
}

iimg_error_t *iimg_generate_identity_image(iimg_context_t *context,
                                           const iimg_generation_request_t *request,
                                           iimg_generation_t *generation)
{
    generating_t g = { .request = request };
    iimg_error_t *err;

    g.warnings = apr_array_make(context->pool, 4, sizeof(const char *));
    err = find_inputs(context, &g);
    if (!err) {
        err = load_references(context, &g);
    }
    if (!err) {
        err = write_job(context, &g);
    }
    if (!err) {
        err = run_job(context, &g);
    }
    generation->job = g.job;
    generation->identity = NULL;
    if (!err && request->save_to_identity) {
        err = save_result(context, &g, generation);
    }
    return err;
}
