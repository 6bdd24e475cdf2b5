/* generation_job.c - generations: rows of generation_jobs. */
#include "models/generation_job.h"

#include <apr_strings.h>

const char *const iimg_generation_job_states[] = {
    "queued", "running", "succeeded", "failed", "canceled", NULL
};

#define COLUMNS \
    "j.id, j.state, j.identity_id, j.user_id, j.requested_by, j.prompt_id, j.prompt_version, " \
    "j.prompt_used, j.additional_prompt, j.save_to_identity, j.generator, j.model, " \
    "j.aspect_ratio, j.resolution, j.reference_image_ids, j.image, j.media_type, j.width, " \
    "j.height, j.warnings, j.error_code, j.error_detail, j.error_billed, j.usage, j.cost, " \
    "j.attempts, j.created_at, j.started_at, j.finished_at, " \
    "(SELECT name FROM identities WHERE identities.id = j.identity_id)"

static const iimg_statement_t insert = {
    "iimg_generation_job_insert",
    "INSERT INTO generation_jobs AS j"
    "       (identity_id, user_id, requested_by, prompt_id, prompt_version, prompt_used,"
    "        additional_prompt, save_to_identity, generator, model, aspect_ratio, resolution,"
    "        reference_image_ids, warnings)"
    " VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::integer, $6::text, $7::text,"
    "         $8::boolean, $9::text, $10::text, $11::text, $12::text, $13::uuid[], $14::text[])"
    " RETURNING " COLUMNS
};

static const iimg_statement_t claim = {
    "iimg_generation_job_claim",
    "UPDATE generation_jobs AS j"
    "   SET state = 'running', owner = $2::text, attempts = attempts + 1, started_at = now(),"
    "       lease_expires_at = now() + make_interval(secs => $3::integer)"
    " WHERE id = $1::uuid AND state = 'queued' RETURNING " COLUMNS
};

static const iimg_statement_t by_id = {
    "iimg_generation_job_by_id", "SELECT " COLUMNS " FROM generation_jobs j WHERE j.id = $1::uuid"
};

static const iimg_statement_t finish = {
    "iimg_generation_job_finish",
    "UPDATE generation_jobs AS j"
    "   SET state = CASE WHEN $3::text IS NULL THEN 'failed' ELSE 'succeeded' END,"
    "       image = $3::text, media_type = $4::text, width = $5::integer, height = $6::integer,"
    "       error_code = $7::text, error_detail = $8::text, error_billed = $9::boolean,"
    "       usage = $10::jsonb, cost = $12::numeric, warnings = warnings || $11::text[],"
    "       owner = NULL, lease_expires_at = NULL, finished_at = now()"
    " WHERE id = $1::uuid AND state = 'running' AND owner = $2::text RETURNING " COLUMNS
};

static const iimg_statement_t fail_lost = {
    "iimg_generation_job_fail_lost",
    "UPDATE generation_jobs"
    "   SET state = 'failed', error_code = 'lost', owner = NULL, lease_expires_at = NULL,"
    "       error_detail = 'The server stopped before the picture was there.',"
    "       finished_at = now()"
    " WHERE state = 'running' AND lease_expires_at < now()"
};

static iimg_generation_job_t *take_row(apr_pool_t *pool, const iimg_rows_t *rows)
{
    iimg_generation_job_t *job = apr_pcalloc(pool, sizeof(*job));
    const char **texts[] = {
        &job->id, &job->state, &job->identity_id, &job->user_id, &job->requested_by,
        &job->prompt_id, &job->prompt_version, &job->prompt_used, &job->additional_prompt, NULL,
        &job->generator, &job->model, &job->aspect_ratio, &job->resolution, NULL, &job->image,
        &job->media_type, &job->width, &job->height, NULL, &job->error_code, &job->error_detail,
        &job->error_billed, &job->usage, &job->cost, NULL, &job->created_at, &job->started_at,
        &job->finished_at, &job->identity_name,
    };

    for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
        if (texts[i]) {
            *texts[i] = iimg_rows_text(rows, 0, i);
        }
    }
    job->save_to_identity = iimg_rows_bool(rows, 0, 9);
    job->reference_image_ids = iimg_db_array_parse(pool, iimg_rows_text(rows, 0, 14));
    job->warnings = iimg_db_array_parse(pool, iimg_rows_text(rows, 0, 19));
    job->attempts = (int)iimg_rows_integer(rows, 0, 25);
    return job;
}

static iimg_error_t *one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, iimg_generation_job_t **job)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *job = !err && rows->count ? take_row(context->pool, rows) : NULL;
    return err;
}

iimg_error_t *iimg_generation_job_insert(iimg_context_t *context, iimg_generation_job_t **job)
{
    const iimg_generation_job_t *j = *job;
    apr_pool_t *pool = context->pool;

    return one(context, &insert,
               IIMG_PARAMS(j->identity_id, j->user_id, j->requested_by, j->prompt_id,
                           j->prompt_version, j->prompt_used, j->additional_prompt,
                           j->save_to_identity ? "t" : "f", j->generator, j->model,
                           j->aspect_ratio, j->resolution,
                           iimg_db_array_format(pool, j->reference_image_ids),
                           iimg_db_array_format(pool, j->warnings)), job);
}

iimg_error_t *iimg_generation_job_claim(iimg_context_t *context, const char *id, const char *owner,
                                        int lease, iimg_generation_job_t **job)
{
    return one(context, &claim, IIMG_PARAMS(id, owner, apr_itoa(context->pool, lease)), job);
}

iimg_error_t *iimg_generation_job_by_id(iimg_context_t *context, const char *id,
                                        iimg_generation_job_t **job)
{
    return one(context, &by_id, IIMG_PARAMS(id), job);
}

iimg_error_t *iimg_generation_job_finish(iimg_context_t *context, const char *id,
                                         const char *owner,
                                         const iimg_generation_outcome_t *outcome,
                                         iimg_generation_job_t **job)
{
    apr_pool_t *pool = context->pool;
    const char *width = outcome->width ? apr_itoa(pool, outcome->width) : NULL;
    const char *height = outcome->height ? apr_itoa(pool, outcome->height) : NULL;
    const char *warnings = outcome->warnings ? iimg_db_array_format(pool, outcome->warnings) : "{}";

    return one(context, &finish,
               IIMG_PARAMS(id, owner, outcome->image, outcome->media_type, width, height,
                           outcome->error_code, outcome->error_detail, outcome->error_billed,
                           outcome->usage, warnings, outcome->cost), job);
}

iimg_error_t *iimg_generation_job_fail_lost(iimg_context_t *context, int *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &fail_lost, 0, NULL, &rows);

    *count = err ? 0 : rows->affected;
    return err;
}
