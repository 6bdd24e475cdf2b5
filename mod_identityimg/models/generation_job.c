/* generation_job.c - generations: rows of generation_jobs. */
#include "models/generation_job.h"

#include <string.h>
#include <apr_strings.h>
#include "base/db/array.h"

const char *const iimg_generation_job_states[] = { "queued", "running",  "succeeded",
                                                   "failed", "canceled", NULL };

#define COLUMNS \
    "j.id, j.state, j.identity_id, j.user_id, j.requested_by, j.prompt_id, j.prompt_version, " \
    "j.prompt_used, j.additional_prompt, j.save_to_identity, j.generator, j.model, " \
    "j.aspect_ratio, j.resolution, j.reference_image_ids, j.image, j.media_type, j.width, " \
    "j.height, j.warnings, j.error_code, j.error_detail, j.error_billed, j.usage, j.cost, " \
    "j.attempts, j.created_at, j.started_at, j.finished_at, " \
    "(SELECT name FROM identities WHERE identities.id = j.identity_id), j.version, " \
    "CASE WHEN j.state = 'queued' THEN" \
    "    1 + (SELECT count(*) FROM generation_jobs q WHERE q.state = 'queued'" \
    "            AND (q.created_at, q.id) < (j.created_at, j.id)) END, " \
    "j.error_status, j.error_retry_after, j.saved_at, j.cancel_requested_at IS NOT NULL, " \
    "coalesce(j.requested_model, j.model)"

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_generation_job_insert",
    "INSERT INTO generation_jobs AS j"
    "       (identity_id, user_id, requested_by, prompt_id, prompt_version, prompt_used,"
    "        additional_prompt, save_to_identity, generator, model, aspect_ratio, resolution,"
    "        reference_image_ids, warnings, expected_cost, requested_model)"
    " VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::integer, $6::text, $7::text,"
    "         $8::boolean, $9::text, $10::text, $11::text, $12::text, $13::uuid[], $14::text[],"
    "         $15::numeric, $16::text)"
    " RETURNING " COLUMNS);

static const iimg_statement_t claim = IIMG_STATEMENT(
    "iimg_generation_job_claim",
    "UPDATE generation_jobs AS j"
    "   SET state = 'running', owner = $2::text, attempts = attempts + 1, started_at = now(),"
    "       lease_expires_at = now() + make_interval(secs => $3::integer)"
    " WHERE id = $1::uuid AND state = 'queued' RETURNING " COLUMNS);

/* Seconds after the end of a lease in which only the node that had it may take the job again. */
#define NODE_FIRST "60"

static const iimg_statement_t take = IIMG_STATEMENT(
    "iimg_generation_job_take",
    "UPDATE generation_jobs"
    "   SET state = 'running', owner = $1::text, attempts = attempts + 1,"
    "       started_at = coalesce(started_at, now()),"
    "       lease_expires_at = now() + make_interval(secs => $3::integer)"
    " WHERE id IN ("
    "    SELECT id FROM generation_jobs"
    "     WHERE (state = 'queued' AND (lease_expires_at IS NULL OR lease_expires_at < now()))"
    "        OR (state = 'running' AND owner <> $1::text"
    "            AND lease_expires_at < now() - make_interval(secs =>"
    "                CASE WHEN split_part(owner, '/', 1) = $2::text THEN 0"
    "                     ELSE " NODE_FIRST " END))"
    "     ORDER BY created_at, id"
    "     LIMIT CASE WHEN $5::integer = 0 THEN $4::integer ELSE greatest(0, least($4::integer,"
    "               $5::integer - (SELECT count(*) FROM generation_jobs r"
    "                   WHERE r.state = 'running' AND r.lease_expires_at > now())::integer)) END"
    "     FOR UPDATE SKIP LOCKED)"
    " RETURNING id");

static const iimg_statement_t renew = IIMG_STATEMENT(
    "iimg_generation_job_renew",
    "UPDATE generation_jobs SET lease_expires_at = now() + make_interval(secs => $2::integer)"
    " WHERE owner = $1::text AND state = 'running'");

static const iimg_statement_t release = IIMG_STATEMENT(
    "iimg_generation_job_release",
    "UPDATE generation_jobs SET lease_expires_at = now()"
    " WHERE owner = $1::text AND state = 'running' AND lease_expires_at > now()");

static const iimg_statement_t to_cancel = IIMG_STATEMENT(
    "iimg_generation_job_to_cancel",
    "SELECT id FROM generation_jobs"
    " WHERE owner = $1::text AND state = 'running' AND cancel_requested_at IS NOT NULL");

/* A job has not ended for who waits for it while its picture is being saved to the identity: he
 * would save it, too, for nothing. After a while, who was to save it must have died. */
static const iimg_statement_t news_of = IIMG_STATEMENT(
    "iimg_generation_job_news",
    "SELECT id, version, state NOT IN ('queued', 'running')"
    "       AND NOT (state = 'succeeded' AND save_to_identity AND saved_at IS NULL"
    "                AND finished_at > now() - interval '15 seconds')"
    "  FROM generation_jobs"
    " WHERE id = ANY ($1::uuid[])");

static const iimg_statement_t saved = IIMG_STATEMENT(
    "iimg_generation_job_saved",
    "UPDATE generation_jobs SET saved_at = now() WHERE id = $1::uuid AND saved_at IS NULL");

/* Not over a later one's. */
static const iimg_statement_t unsaved = IIMG_STATEMENT(
    "iimg_generation_job_unsaved",
    "SELECT id FROM generation_jobs j"
    " WHERE state = 'succeeded' AND save_to_identity AND saved_at IS NULL"
    "   AND finished_at > now() - interval '10 minutes'"
    "   AND finished_at < now() - interval '2 minutes'"
    "   AND NOT EXISTS (SELECT 1 FROM generation_jobs later"
    "                    WHERE later.identity_id = j.identity_id AND later.saved_at > j.finished_at)"
    " ORDER BY finished_at");

static const iimg_statement_t add_warning = IIMG_STATEMENT(
    "iimg_generation_job_warn",
    "UPDATE generation_jobs SET warnings = warnings || $2::text WHERE id = $1::uuid");

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_generation_job_by_id", "SELECT " COLUMNS " FROM generation_jobs j WHERE j.id = $1::uuid");

#define CANCELED_LATE \
    "'This generation was canceled after the picture had been asked for: it is kept here, and was " \
    "saved nowhere else.'"

static const iimg_statement_t finish = IIMG_STATEMENT(
    "iimg_generation_job_finish",
    "UPDATE generation_jobs AS j"
    "   SET state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'canceled'"
    "                    WHEN $3::text IS NULL THEN 'failed' ELSE 'succeeded' END,"
    "       image = $3::text, media_type = $4::text, width = $5::integer, height = $6::integer,"
    "       error_code = $7::text, error_detail = $8::text, error_billed = $9::boolean,"
    "       error_status = $13::integer, error_retry_after = $14::integer,"
    "       usage = $10::jsonb, cost = $12::numeric, owner = NULL, lease_expires_at = NULL,"
    "       finished_at = now(), warnings = warnings || $11::text[]"
    "           || CASE WHEN cancel_requested_at IS NOT NULL AND $3::text IS NOT NULL"
    "                   THEN ARRAY[" CANCELED_LATE "] ELSE '{}'::text[] END"
    " WHERE id = $1::uuid"
    "   AND ((state = 'running' AND (owner = $2::text OR $3::text IS NOT NULL))"
    "        OR (state = 'failed' AND error_code = 'lost' AND $3::text IS NOT NULL))"
    " RETURNING " COLUMNS);

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_generation_job_list",
    "SELECT " IIMG_CALLER_COLUMNS ", j.page_key, " COLUMNS
    "  FROM users c LEFT JOIN LATERAL ("
    "    SELECT j.*, " IIMG_PAGE_KEY("j") " FROM generation_jobs j"
    "     WHERE c.is_staff AND " IIMG_PAGE_BEHIND("j")
    "       AND " IIMG_PAGE_MATCHES("j.additional_prompt,"
    "           (SELECT name FROM identities WHERE identities.id = j.identity_id)")
    "       AND ($7::uuid IS NULL OR j.identity_id = $7::uuid)"
    "       AND ($8::uuid IS NULL OR j.user_id = $8::uuid)"
    "       AND ($9::uuid IS NULL OR j.prompt_id = $9::uuid)"
    "       AND ($10::text IS NULL OR j.state = $10::text)"
    "       AND ($11::uuid IS NULL OR j.requested_by = $11::uuid)"
    IIMG_PAGE_END("j") ") j ON true"
    " WHERE " IIMG_CALLER_IS IIMG_PAGE_ORDER("j"));

static const iimg_statement_t for_staff = IIMG_STATEMENT(
    "iimg_generation_job_for_staff",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN generation_jobs j ON c.is_staff AND j.id = $3::uuid"
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t lock_row = IIMG_STATEMENT(
    "iimg_generation_job_lock",
    "SELECT " COLUMNS " FROM generation_jobs j WHERE j.id = $1::uuid FOR NO KEY UPDATE OF j");

static const iimg_statement_t cancel = IIMG_STATEMENT(
    "iimg_generation_job_cancel",
    "UPDATE generation_jobs AS j"
    "   SET state = CASE WHEN state = 'queued' THEN 'canceled' ELSE state END,"
    "       finished_at = CASE WHEN state = 'queued' THEN now() END,"
    "       owner = CASE WHEN state = 'running' THEN owner END,"
    "       lease_expires_at = CASE WHEN state = 'running' THEN lease_expires_at END,"
    "       cancel_requested_at = coalesce(cancel_requested_at, now())"
    " WHERE id = $1::uuid AND state IN ('queued', 'running') RETURNING " COLUMNS);

static const iimg_statement_t medians = IIMG_STATEMENT(
    "iimg_generation_job_medians",
    "SELECT " IIMG_CALLER_COLUMNS ", ("
    "    SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY"
    "               extract(epoch FROM recent.finished_at - recent.started_at))::numeric, 1)"
    "      FROM (SELECT j.finished_at, j.started_at FROM generation_jobs j"
    "             WHERE j.state = 'succeeded' AND j.generator = $3::text"
    "               AND j.model IN (r.model, $6::text) AND j.resolution = r.resolution"
    "             ORDER BY j.created_at DESC LIMIT 50) recent)"
    "  FROM users c LEFT JOIN unnest($4::text[], $5::text[])"
    "       WITH ORDINALITY r (model, resolution, place)"
    "    ON c.is_staff"
    " WHERE " IIMG_CALLER_IS " ORDER BY r.place");

static void take_row(apr_pool_t *pool, const iimg_rows_t *rows, int row, int from,
                     iimg_generation_job_t *job)
{
    const char **texts[] = {
        &job->id,
        &job->state,
        &job->identity_id,
        &job->user_id,
        &job->requested_by,
        &job->prompt_id,
        &job->prompt_version,
        &job->prompt_used,
        &job->additional_prompt,
        NULL,
        &job->generator,
        &job->model,
        &job->aspect_ratio,
        &job->resolution,
        NULL,
        &job->image,
        &job->media_type,
        &job->width,
        &job->height,
        NULL,
        &job->error_code,
        &job->error_detail,
        &job->error_billed,
        &job->usage,
        &job->cost,
        NULL,
        &job->created_at,
        &job->started_at,
        &job->finished_at,
        &job->identity_name,
        &job->version,
        &job->queue_position,
        NULL,
        NULL,
        &job->saved_at,
        NULL,
        &job->requested_model,
    };

    memset(job, 0, sizeof(*job));
    for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
        if (texts[i]) {
            *texts[i] = iimg_rows_text(rows, row, from + i);
        }
    }
    job->save_to_identity = iimg_rows_bool(rows, row, from + 9);
    job->reference_image_ids = iimg_db_array_parse(pool, iimg_rows_text(rows, row, from + 14));
    job->warnings = iimg_db_array_parse(pool, iimg_rows_text(rows, row, from + 19));
    job->attempts = (int)iimg_rows_integer(rows, row, from + 25);
    job->error_status = (int)iimg_rows_integer(rows, row, from + 32);
    job->error_retry_after = (int)iimg_rows_integer(rows, row, from + 33);
    job->cancel_requested = iimg_rows_bool(rows, row, from + 35);
}

static apr_array_header_t *take_rows(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *jobs = apr_array_make(pool, rows->count + 1, sizeof(iimg_generation_job_t));

    for (int row = 0; row < rows->count; row++) {
        if (iimg_rows_text(rows, row, from)) {
            take_row(pool, rows, row, from, apr_array_push(jobs));
        }
    }
    return jobs;
}

static iimg_generation_job_t *first(const apr_array_header_t *jobs)
{
    return jobs->nelts ? &APR_ARRAY_IDX(jobs, 0, iimg_generation_job_t) : NULL;
}

static iimg_error_t *one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, iimg_generation_job_t **job)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *job = err ? NULL : first(take_rows(context->pool, rows, 0));
    return err;
}

iimg_error_t *iimg_generation_job_insert(iimg_context_t *context, iimg_generation_job_t **job)
{
    const iimg_generation_job_t *j = *job;
    apr_pool_t *pool = context->pool;

    return one(context, &insert,
               IIMG_PARAMS(j->identity_id, j->user_id, j->requested_by, j->prompt_id,
                           j->prompt_version, j->prompt_used, j->additional_prompt,
                           j->save_to_identity ? "t" : "f", j->generator, j->model, j->aspect_ratio,
                           j->resolution, iimg_db_array_format(pool, j->reference_image_ids),
                           iimg_db_array_format(pool, j->warnings), j->expected_cost,
                           j->requested_model),
               job);
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

iimg_error_t *iimg_generation_job_finish(iimg_context_t *context, const char *id, const char *owner,
                                         const iimg_generation_outcome_t *outcome,
                                         iimg_generation_job_t **job)
{
    apr_pool_t *pool = context->pool;
    const char *width = outcome->width ? apr_itoa(pool, outcome->width) : NULL;
    const char *height = outcome->height ? apr_itoa(pool, outcome->height) : NULL;
    const char *warnings = outcome->warnings ? iimg_db_array_format(pool, outcome->warnings) : "{}";
    const char *status = outcome->error_status ? apr_itoa(pool, outcome->error_status) : NULL;
    const char *retry = outcome->error_retry_after ? apr_itoa(pool, outcome->error_retry_after)
                                                   : NULL;

    return one(context, &finish,
               IIMG_PARAMS(id, owner, outcome->image, outcome->media_type, width, height,
                           outcome->error_code, outcome->error_detail, outcome->error_billed,
                           outcome->usage, warnings, outcome->cost, status, retry),
               job);
}

/* Who runs them ------------------------------------------------------------------------------- */

static apr_array_header_t *ids_of(apr_pool_t *pool, const iimg_rows_t *rows)
{
    apr_array_header_t *ids = apr_array_make(pool, rows->count + 1, sizeof(const char *));

    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(ids, const char *) = iimg_rows_text(rows, row, 0);
    }
    return ids;
}

iimg_error_t *iimg_generation_job_take(iimg_context_t *context,
                                       const iimg_generation_taker_t *taker,
                                       apr_array_header_t **ids)
{
    apr_pool_t *pool = context->pool;
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &take,
        IIMG_PARAMS(taker->owner, taker->node, apr_itoa(pool, taker->lease),
                    apr_itoa(pool, taker->most), apr_itoa(pool, taker->at_once)),
        &rows);

    *ids = err ? NULL : ids_of(pool, rows);
    return err;
}

iimg_error_t *iimg_generation_job_renew(iimg_context_t *context, const char *owner, int lease)
{
    iimg_rows_t *rows;

    return iimg_db_query(context, &renew, IIMG_PARAMS(owner, apr_itoa(context->pool, lease)),
                         &rows);
}

iimg_error_t *iimg_generation_job_release(iimg_context_t *context, const char *owner, int *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &release, IIMG_PARAMS(owner), &rows);

    *count = err ? 0 : rows->affected;
    return err;
}

iimg_error_t *iimg_generation_job_to_cancel(iimg_context_t *context, const char *owner,
                                            apr_array_header_t **ids)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &to_cancel, IIMG_PARAMS(owner), &rows);

    *ids = err ? NULL : ids_of(context->pool, rows);
    return err;
}

iimg_error_t *iimg_generation_job_news(iimg_context_t *context, const apr_array_header_t *ids,
                                       apr_array_header_t **news)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &news_of,
                                      IIMG_PARAMS(iimg_db_array_format(context->pool, ids)), &rows);

    if (err) {
        return err;
    }
    *news = apr_array_make(context->pool, rows->count + 1, sizeof(iimg_generation_job_news_t));
    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(*news, iimg_generation_job_news_t) = (iimg_generation_job_news_t){
            iimg_rows_text(rows, row, 0), (int)iimg_rows_integer(rows, row, 1),
            iimg_rows_bool(rows, row, 2)
        };
    }
    return NULL;
}

iimg_error_t *iimg_generation_job_saved(iimg_context_t *context, const char *id, bool *first)
{
    iimg_rows_t *rows = NULL;
    iimg_error_t *err = iimg_db_query(context, &saved, IIMG_PARAMS(id), &rows);

    *first = !err && rows->affected > 0;
    return err;
}

iimg_error_t *iimg_generation_job_unsaved(iimg_context_t *context, apr_array_header_t **ids)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &unsaved, 0, NULL, &rows);

    *ids = err ? NULL : ids_of(context->pool, rows);
    return err;
}

iimg_error_t *iimg_generation_job_warn(iimg_context_t *context, const char *id, const char *warning)
{
    iimg_rows_t *rows;

    return iimg_db_query(context, &add_warning, IIMG_PARAMS(id, warning), &rows);
}

/* What staff see and end ----------------------------------------------------------------------- */

iimg_error_t *iimg_generation_job_list(iimg_context_t *context, iimg_page_t *page,
                                       const iimg_generation_job_filter_t *filter,
                                       const iimg_caller_t **caller, apr_array_header_t **jobs)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &list,
        IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->identity_id, filter->user_id,
                    filter->prompt_id, filter->state, filter->requested_by),
        &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *jobs = take_rows(context->pool, rows, IIMG_PAGE_WIDTH);
    iimg_page_close(page, rows, *jobs);
    return NULL;
}

iimg_error_t *iimg_generation_job_for_staff(iimg_context_t *context, const char *id,
                                            const iimg_caller_t **caller,
                                            iimg_generation_job_t **job)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &for_staff,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *job = first(take_rows(context->pool, rows, IIMG_CALLER_WIDTH));
    return NULL;
}

iimg_error_t *iimg_generation_job_lock(iimg_context_t *context, const char *id,
                                       iimg_generation_job_t **job)
{
    return one(context, &lock_row, IIMG_PARAMS(id), job);
}

iimg_error_t *iimg_generation_job_cancel(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job)
{
    return one(context, &cancel, IIMG_PARAMS(id), job);
}

iimg_error_t *iimg_generation_job_medians(iimg_context_t *context,
                                          const iimg_generator_t *generator,
                                          const apr_array_header_t *models,
                                          const apr_array_header_t *resolutions,
                                          const iimg_caller_t **caller,
                                          apr_array_header_t **seconds)
{
    const char *wanted[] = { iimg_db_array_format(context->pool, models),
                             iimg_db_array_format(context->pool, resolutions) };
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &medians,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), generator->name,
                                                  wanted[0], wanted[1], generator->model),
                                      &rows);

    if (err) {
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *seconds = apr_array_make(context->pool, rows->count + 1, sizeof(const char *));
    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(*seconds, const char *) = iimg_rows_text(rows, row, IIMG_CALLER_WIDTH);
    }
    return NULL;
}
