/* generation_run.c - run a job: load its inputs, store its picture or record its error, save the
 * picture to the identity. */
#include "functions/admin/generation_run.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/spool.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/store_picture.h"
#include "services/generators.h"

/* Inputs -------------------------------------------------------------------------------------- */

iimg_error_t *iimg_generation_run_read(iimg_context_t *context, const char *id,
                                       iimg_generation_run_t *run)
{
    iimg_error_t *err = iimg_generation_job_by_id(context, id, &run->job);

    run->warnings = apr_array_make(context->pool, 2, sizeof(const char *));
    if (err) {
        return err;
    }
    return run->job ? NULL : iimg_not_found(context);
}

static bool is_listed(const apr_array_header_t *ids, const char *id)
{
    for (int i = 0; i < ids->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(ids, i, const char *), id) == 0) {
            return true;
        }
    }
    return false;
}

/* The user's photos that the job names. */
static iimg_error_t *find_photos(iimg_context_t *context, const iimg_generation_job_t *job,
                                 apr_array_header_t **photos)
{
    apr_array_header_t *all;
    iimg_error_t *err = iimg_reference_image_with_picture(context, job->user_id, &all);

    *photos = apr_array_make(context->pool, 5, sizeof(iimg_reference_image_t));
    for (int i = 0; !err && i < all->nelts; i++) {
        const iimg_reference_image_t *photo = &APR_ARRAY_IDX(all, i, iimg_reference_image_t);

        if (is_listed(job->reference_image_ids, photo->id)) {
            APR_ARRAY_PUSH(*photos, iimg_reference_image_t) = *photo;
        }
    }
    return err;
}

static iimg_error_t *load_photos(iimg_context_t *context, iimg_context_t *brief,
                                 iimg_generation_run_t *run)
{
    iimg_loaded_references_t loaded;
    apr_array_header_t *photos;
    iimg_error_t *err = iimg_user_share(brief, run->job->user_id);

    if (err) {
        return err;
    }
    err = find_photos(brief, run->job, &photos);
    if (err) {
        return err;
    }
    if (photos->nelts < run->job->reference_image_ids->nelts) {
        APR_ARRAY_PUSH(
            run->warnings,
            const char *) = "Some reference images were deleted before the picture was generated.";
    }
    err = iimg_load_references(context, photos, &loaded);
    if (err) {
        return err;
    }
    apr_array_cat(run->warnings, loaded.warnings);
    run->ask.references = loaded.references;
    run->ask.reference_count = loaded.count;
    return NULL;
}

/* Texts for generators that do not use prompts. */
static iimg_error_t *load_identity(iimg_context_t *context, iimg_context_t *brief,
                                   iimg_generation_run_t *run)
{
    apr_pool_t *pool = context->pool;
    iimg_identity_t *identity = NULL;
    iimg_error_t *err = NULL;

    if (run->job->identity_id) {
        err = iimg_identity_by_id(brief, run->job->identity_id, &identity);
    }
    run->ask.identity_name = identity ? apr_pstrdup(pool, identity->name) : "";
    run->ask.identity_category = identity ? apr_pstrdup(pool, identity->category) : "";
    run->ask.i_am_statement = identity ? apr_pstrdup(pool, identity->i_am_statement) : NULL;
    run->ask.visualization = identity ? apr_pstrdup(pool, identity->visualization) : NULL;
    return err;
}

/* A job lives for minutes and needs few members of these rows, so that they have their own pool. */
static iimg_error_t *load_parts(iimg_context_t *context, iimg_generation_run_t *run)
{
    iimg_context_t brief = *context;
    iimg_error_t *err;

    brief.pool = iimg_pool_create(context->pool, 0, "rows");
    if (!brief.pool) {
        return iimg_error(context->pool, IIMG_UNAVAILABLE,
                          "The server is out of memory. Try again later.");
    }
    err = load_identity(context, &brief, run);
    if (err) {
        return err; /* allocated from brief.pool, as are those of load_photos() */
    }
    err = load_photos(context, &brief, run);
    if (err) {
        return err;
    }
    apr_pool_destroy(brief.pool);
    return NULL;
}

/* The requested model, so that the job records the successor of a retired one. A job may have been
 * queued as a preview before the server was configured for a provider. */
static const char *choose_model(const iimg_context_t *context, const iimg_generation_job_t *job)
{
    const char *model = job->requested_model ? job->requested_model : job->model;

    return strcmp(model, iimg_generator_preview.model) == 0 ? context->services->model : model;
}

iimg_error_t *iimg_generation_run_load(iimg_context_t *context, iimg_generation_run_t *run)
{
    const iimg_generation_job_t *job = run->job;

    run->ask.prompt = job->prompt_used;
    run->ask.model = choose_model(context, job);
    run->ask.aspect_ratio = job->aspect_ratio;
    run->ask.resolution = job->resolution;
    if (!iimg_generator_size(job->aspect_ratio, job->resolution, &run->ask.width,
                             &run->ask.height)) {
        return iimg_error_internal(context->pool, "no size for aspect ratio %s and resolution %s",
                                   job->aspect_ratio, job->resolution);
    }
    return load_parts(context, run);
}

/* Outcome ------------------------------------------------------------------------------------- */

/* The usage, cost and warnings that the provider sent, with or without a picture. */
static void copy_facts(iimg_generation_run_t *run)
{
    apr_array_header_t *warnings = apr_array_copy(run->warnings->pool, run->warnings);

    if (run->result) {
        run->outcome.usage = run->result->usage;
        run->outcome.cost = run->result->cost;
        apr_array_cat(warnings, run->result->warnings);
    }
    run->outcome.warnings = warnings;
}

static iimg_error_t *store_result(iimg_context_t *context, iimg_generation_run_t *run)
{
    const iimg_generator_result_t *result = run->result;

    return iimg_store_generated_picture(
        context, result, iimg_media_type_sniff(result->data, result->length), &run->stored);
}

/* A picture that does not open is the provider's fault. A busy or missing worker is not. */
static iimg_error_t *blame_provider(iimg_context_t *context, iimg_error_t *err)
{
    if (err->kind == IIMG_BUSY || err->kind == IIMG_UNAVAILABLE) {
        return err;
    }
    return iimg_error_with_detail(context->pool, IIMG_UPSTREAM, "provider_reply",
                                  "The image provider sent data that is not a picture.", "%s",
                                  err->detail ? err->detail : err->message);
}

/* The worker's process inspects the picture while this thread stores it: a picture of 5 MB takes
 * 16 ms to store. */
static iimg_error_t *inspect_and_store(iimg_context_t *context, iimg_generation_run_t *run,
                                       const iimg_bytes_t *picture)
{
    iimg_image_inspection_t *inspection;
    iimg_error_t *err, *store_err;

    err = iimg_image_inspect_begin(context, &context->services->pictures, picture, &inspection);
    if (err) {
        return blame_provider(context, err);
    }
    store_err = store_result(context, run);
    err = iimg_image_inspect_end(inspection, &run->outcome.width, &run->outcome.height);
    if (err) {
        if (!store_err) {
            iimg_abandon_picture(context, &run->stored);
        }
        return blame_provider(context, err);
    }
    run->outcome.media_type = iimg_media_type_sniff(picture->data, picture->length)->media_type;
    copy_facts(run);
    run->inspected = true;
    return store_err;
}

static iimg_error_t *check_and_store(iimg_context_t *context, iimg_generation_run_t *run)
{
    const iimg_generator_result_t *result = run->result;
    iimg_bytes_t picture = { result->data, result->length, -1, 0, false };
    iimg_error_t *err;

    if (run->inspected) {
        return store_result(context, run);
    }
    picture.file = result->spool ? iimg_spool_share(context->pool, result->spool) : -1;
    err = inspect_and_store(context, run, &picture);
    if (picture.file >= 0) {
        close(picture.file);
    }
    return err;
}

static iimg_error_t *finish_row(iimg_context_t *context, void *baton)
{
    iimg_generation_run_t *run = baton;
    iimg_generation_job_t *job = NULL;
    iimg_error_t *err = NULL;

    if (run->outcome.image) {
        /* Deleting a user deletes pictures generated from the user's photos: add none later. */
        err = iimg_user_share(context, run->job->user_id);
    }
    if (err) {
        return err;
    }
    err = iimg_generation_job_finish(context, run->job->id, context->services->owner, &run->outcome,
                                     &job);
    if (err) {
        return err;
    }
    if (!job) {
        return iimg_error(context->pool, IIMG_CONFLICT,
                          "The generation ended in the meantime; its picture was not stored.");
    }
    if (run->outcome.image) {
        err = iimg_publish_picture(context, &run->stored);
        if (err) {
            return err;
        }
    }
    run->job = job;
    return NULL;
}

/* After a lost reply to COMMIT, the row shows whether it was committed. */
static bool was_committed(iimg_context_t *context, iimg_generation_run_t *run)
{
    iimg_generation_job_t *job;

    if (!context->lost_commit || iimg_generation_job_by_id(context, run->job->id, &job) || !job
        || !job->image || strcmp(job->image, run->stored.picture.key) != 0) {
        return false;
    }
    run->job = job;
    return true;
}

iimg_error_t *iimg_generation_run_store(iimg_context_t *context, iimg_generation_run_t *run)
{
    iimg_error_t *err = check_and_store(context, run);

    if (err) {
        return err;
    }
    run->outcome.image = run->stored.picture.key;
    context->lost_commit = false;
    err = iimg_db_transaction(context, finish_row, run);
    if (err && was_committed(context, run)) {
        return NULL;
    }
    if (err) {
        iimg_abandon_picture(context, &run->stored);
    }
    return err;
}

/* @return "t", "f"; NULL: unknown */
static const char *guess_billed(const iimg_context_t *context, const iimg_generation_run_t *run,
                                const iimg_error_t *cause)
{
    if (!context->services->generator->billed) {
        return "f";
    }
    return run->result && run->result->data ? "t" : cause->billed;
}

iimg_error_t *iimg_generation_run_fail(iimg_context_t *context, iimg_generation_run_t *run,
                                       const iimg_error_t *cause, int status)
{
    iimg_error_t *err;

    memset(&run->outcome, 0, sizeof(run->outcome));
    run->outcome.error_code = cause->code;
    run->outcome.error_detail = cause->message;
    run->outcome.error_billed = guess_billed(context, run, cause);
    run->outcome.error_status = status;
    run->outcome.error_retry_after = cause->retry_after;
    copy_facts(run);
    err = iimg_db_transaction(context, finish_row, run);
    return err && err->kind == IIMG_CONFLICT ? NULL : err; /* it has already ended */
}

/* The identity -------------------------------------------------------------------------------- */

iimg_error_t *iimg_generation_run_save(iimg_context_t *context, iimg_generation_run_t *run)
{
    const iimg_generation_job_t *job = run->job;
    iimg_identity_t *identity;
    iimg_error_t *err = NULL;

    if (!job->save_to_identity || strcmp(job->state, "succeeded") != 0 || job->saved_at) {
        return NULL;
    }
    if (job->requested_by) {
        err = iimg_user_login_by_id(context, job->requested_by, &context->login);
    }
    if (err) {
        return err;
    }
    err = job->identity_id ? iimg_identify_caller(context, IIMG_STAFF)
                           : iimg_identity_not_found(context);
    if (err) {
        return err;
    }
    return iimg_save_image_to_identity(context, job->identity_id, job, run->result->data,
                                       run->result->length, &identity);
}
