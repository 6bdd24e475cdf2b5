/* generation_job.c - generations: rows of generation_jobs. */
#include "models/generation_job.h"

#include <string.h>
#include <apr_strings.h>
#include "base/db/array.h"
#include "models/query.h"

const char *const iimg_generation_job_states[] = { "queued", "running",  "succeeded",
                                                   "failed", "canceled", NULL };

#define IIMG_ROW iimg_generation_job_t

#define IDENTITY_NAME "(SELECT name FROM identities WHERE identities.id = j.identity_id)"
#define QUEUE_POSITION \
    "CASE WHEN j.state = 'queued' THEN" \
    "    1 + (SELECT count(*) FROM generation_jobs q WHERE q.state = 'queued'" \
    "            AND (q.created_at, q.id) < (j.created_at, j.id)) END"

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "j.id") \
    NEXT(state, TEXT, "j.state") \
    NEXT(identity_id, TEXT, "j.identity_id") \
    NEXT(user_id, TEXT, "j.user_id") \
    NEXT(requested_by, TEXT, "j.requested_by") \
    NEXT(prompt_id, TEXT, "j.prompt_id") \
    NEXT(prompt_version, TEXT, "j.prompt_version") \
    NEXT(prompt_used, TEXT, "j.prompt_used") \
    NEXT(additional_prompt, TEXT, "j.additional_prompt") \
    NEXT(save_to_identity, BOOL, "j.save_to_identity") \
    NEXT(generator, TEXT, "j.generator") \
    NEXT(model, TEXT, "j.model") \
    NEXT(aspect_ratio, TEXT, "j.aspect_ratio") \
    NEXT(resolution, TEXT, "j.resolution") \
    NEXT(reference_image_ids, ARRAY, "j.reference_image_ids") \
    NEXT(image, TEXT, "j.image") \
    NEXT(media_type, TEXT, "j.media_type") \
    NEXT(width, TEXT, "j.width") \
    NEXT(height, TEXT, "j.height") \
    NEXT(warnings, ARRAY, "j.warnings") \
    NEXT(error_code, TEXT, "j.error_code") \
    NEXT(error_detail, TEXT, "j.error_detail") \
    NEXT(error_billed, TEXT, "j.error_billed") \
    NEXT(error_status, INTEGER, "j.error_status") \
    NEXT(error_retry_after, INTEGER, "j.error_retry_after") \
    NEXT(usage, TEXT, "j.usage") \
    NEXT(cost, TEXT, "j.cost") \
    NEXT(attempts, INTEGER, "j.attempts") \
    NEXT(created_at, TEXT, "j.created_at") \
    NEXT(started_at, TEXT, "j.started_at") \
    NEXT(finished_at, TEXT, "j.finished_at") \
    NEXT(version, TEXT, "j.version") \
    NEXT(saved_at, TEXT, "j.saved_at") \
    NEXT(requested_model, TEXT, "coalesce(j.requested_model, j.model)") \
    NEXT(cancel_requested, BOOL, "j.cancel_requested_at IS NOT NULL") \
    NEXT(identity_name, TEXT, IDENTITY_NAME) \
    NEXT(queue_position, TEXT, QUEUE_POSITION)
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t job_type = IIMG_ROW_TYPE(columns);

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

/* Seconds after the end of a lease in which only the node that had it may take the job. */
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

/* Report a succeeded job as unfinished while its picture is being saved to the identity; otherwise
 * the waiting request would save it again. After 15 seconds assume that the saver died. */
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

/* Skip jobs whose identity has got the picture of a later one. */
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
    "'This generation was canceled after the picture had been requested. It is stored with " \
    "this job only.'"

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

iimg_error_t *iimg_generation_job_insert(iimg_context_t *context, iimg_generation_job_t **job)
{
    const iimg_generation_job_t *j = *job;
    apr_pool_t *pool = context->pool;

    return iimg_query_one(
        context, &job_type, &insert,
        IIMG_PARAMS(j->identity_id, j->user_id, j->requested_by, j->prompt_id, j->prompt_version,
                    j->prompt_used, j->additional_prompt, j->save_to_identity ? "t" : "f",
                    j->generator, j->model, j->aspect_ratio, j->resolution,
                    iimg_db_array_format(pool, j->reference_image_ids),
                    iimg_db_array_format(pool, j->warnings), j->expected_cost, j->requested_model),
        job);
}

iimg_error_t *iimg_generation_job_claim(iimg_context_t *context, const char *id, const char *owner,
                                        int lease, iimg_generation_job_t **job)
{
    return iimg_query_one(context, &job_type, &claim,
                          IIMG_PARAMS(id, owner, apr_itoa(context->pool, lease)), job);
}

iimg_error_t *iimg_generation_job_by_id(iimg_context_t *context, const char *id,
                                        iimg_generation_job_t **job)
{
    return iimg_query_one(context, &job_type, &by_id, IIMG_PARAMS(id), job);
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

    return iimg_query_one(context, &job_type, &finish,
                          IIMG_PARAMS(id, owner, outcome->image, outcome->media_type, width, height,
                                      outcome->error_code, outcome->error_detail,
                                      outcome->error_billed, outcome->usage, warnings,
                                      outcome->cost, status, retry),
                          job);
}

/* For processes that run jobs ------------------------------------------------------------------ */

iimg_error_t *iimg_generation_job_take(iimg_context_t *context,
                                       const iimg_generation_taker_t *taker,
                                       apr_array_header_t **ids)
{
    apr_pool_t *pool = context->pool;

    return iimg_query_texts(context, &take,
                            IIMG_PARAMS(taker->owner, taker->node, apr_itoa(pool, taker->lease),
                                        apr_itoa(pool, taker->most),
                                        apr_itoa(pool, taker->at_once)),
                            ids);
}

iimg_error_t *iimg_generation_job_renew(iimg_context_t *context, const char *owner, int lease)
{
    return iimg_db_query(context, &renew, IIMG_PARAMS(owner, apr_itoa(context->pool, lease)), NULL);
}

iimg_error_t *iimg_generation_job_release(iimg_context_t *context, const char *owner, int *count)
{
    return iimg_query_change(context, &release, IIMG_PARAMS(owner), count);
}

iimg_error_t *iimg_generation_job_to_cancel(iimg_context_t *context, const char *owner,
                                            apr_array_header_t **ids)
{
    return iimg_query_texts(context, &to_cancel, IIMG_PARAMS(owner), ids);
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
    return iimg_query_change_one(context, &saved, IIMG_PARAMS(id), first);
}

iimg_error_t *iimg_generation_job_unsaved(iimg_context_t *context, apr_array_header_t **ids)
{
    return iimg_query_texts(context, &unsaved, 0, NULL, ids);
}

iimg_error_t *iimg_generation_job_warn(iimg_context_t *context, const char *id, const char *warning)
{
    return iimg_db_query(context, &add_warning, IIMG_PARAMS(id, warning), NULL);
}

/* For staff ------------------------------------------------------------------------------------ */

iimg_error_t *iimg_generation_job_list(iimg_context_t *context, iimg_page_t *page,
                                       const iimg_generation_job_filter_t *filter,
                                       const iimg_caller_t **caller, apr_array_header_t **jobs)
{
    return iimg_query_page(context, &job_type, &list,
                           IIMG_PARAMS(IIMG_PAGE_PARAMS(context, page), filter->identity_id,
                                       filter->user_id, filter->prompt_id, filter->state,
                                       filter->requested_by),
                           page, caller, jobs);
}

iimg_error_t *iimg_generation_job_for_staff(iimg_context_t *context, const char *id,
                                            const iimg_caller_t **caller,
                                            iimg_generation_job_t **job)
{
    return iimg_query_one_for_caller(context, &job_type, &for_staff,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller, job);
}

iimg_error_t *iimg_generation_job_lock(iimg_context_t *context, const char *id,
                                       iimg_generation_job_t **job)
{
    return iimg_query_one(context, &job_type, &lock_row, IIMG_PARAMS(id), job);
}

iimg_error_t *iimg_generation_job_cancel(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job)
{
    return iimg_query_one(context, &job_type, &cancel, IIMG_PARAMS(id), job);
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
