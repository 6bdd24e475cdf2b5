/* generation_jobs.c - list, read and cancel generations, and save their pictures. */
#include "views/views.h"

#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "functions/admin/admin.h"
#include "serializers/serializers.h"
#include "server/jobs/wait.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/page.h"
#include "views/shared.h"

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    iimg_generation_job_serialize(out, signer, row);
}

static iimg_error_t *read_state(const iimg_input_t *query, const char **state)
{
    iimg_error_t *err = iimg_read_text_filter(query, "state", IIMG_INPUT_MAX_WORD, state);

    if (err || !*state) {
        return err;
    }
    return iimg_input_choice(query, "state", iimg_generation_job_states, state);
}

static iimg_error_t *read_list(iimg_request_t *req, iimg_page_t *page,
                               iimg_generation_job_filter_t *filter)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_read_page(req, page, &query);

    err = iimg_error_join(err, iimg_read_uuid_filter(query, "identity_id", &filter->identity_id));
    err = iimg_error_join(err, iimg_read_uuid_filter(query, "user_id", &filter->user_id));
    err = iimg_error_join(err, iimg_read_uuid_filter(query, "requested_by", &filter->requested_by));
    err = iimg_error_join(err, iimg_read_uuid_filter(query, "prompt_id", &filter->prompt_id));
    return iimg_error_join(err, read_state(query, &filter->state));
}

iimg_error_t *iimg_view_generation_job_list(iimg_request_t *req)
{
    apr_array_header_t *jobs;
    iimg_generation_job_filter_t filter;
    iimg_page_t page;
    iimg_error_t *err = read_list(req, &page, &filter);

    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_generation_jobs(req->context, &page, &filter, &jobs);
    if (err) {
        return err;
    }
    return iimg_answer_page(req, &page, jobs, write_row);
}

/* The place in the queue and the name of the identity change without the row, so that the ETag
 * contains them. */
static const char *tag_job(apr_pool_t *pool, const iimg_generation_job_t *job)
{
    const char *version = job->version;
    apr_ssize_t length = APR_HASH_KEY_STRING;

    if (job->queue_position) {
        version = apr_pstrcat(pool, version, ".q", job->queue_position, NULL);
    }
    if (job->identity_name) {
        version = apr_psprintf(pool, "%s.n%x", version,
                               apr_hashfunc_default(job->identity_name, &length));
    }
    return version;
}

static iimg_error_t *answer_job(iimg_request_t *req, int status, const iimg_generation_job_t *job)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err;

    if (iimg_respond_unchanged(req, tag_job(req->context->pool, job), job->image != NULL)) {
        return NULL;
    }
    err = iimg_respond_signer(req, &signer);
    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 8192);
    iimg_generation_job_serialize(out, signer, job);
    return iimg_respond_json(req, status, out);
}

static bool is_unfinished(const iimg_generation_job_t *job)
{
    return strcmp(job->state, "queued") == 0 || strcmp(job->state, "running") == 0;
}

static iimg_error_t *answer_now(iimg_request_t *req, const char *job_id)
{
    iimg_generation_job_t *job;
    iimg_error_t *err = iimg_get_generation_job(req->context, job_id, &job);

    if (err) {
        return err;
    }
    return answer_job(req, HTTP_OK, job);
}

/* A client that has this version waits for the next one; other clients wait for the end. */
static iimg_error_t *wait_for_job(iimg_request_t *req, const iimg_generation_job_t *job,
                                  int seconds)
{
    bool has_it = iimg_respond_has(req, tag_job(req->context->pool, job), job->image != NULL);
    iimg_wait_condition_t condition = { job->id, has_it ? atoi(job->version) : -1,
                                        iimg_wait_deadline(seconds), answer_now };
    int most = seconds < IIMG_WAIT_MAX ? seconds : IIMG_WAIT_MAX;

    apr_table_setn(req->r->headers_out, "Preference-Applied",
                   apr_psprintf(req->r->pool, "wait=%d", most));
    return iimg_wait_and_answer(req, &condition);
}

/* If too many requests wait, the response has the present state. */
iimg_error_t *iimg_view_generation_job_retrieve(iimg_request_t *req)
{
    iimg_generation_job_t *job;
    iimg_prefer_t prefer;
    iimg_error_t *err = iimg_get_generation_job(req->context, req->id, &job);

    if (err) {
        return err;
    }
    iimg_wait_prefer(req, &prefer);
    return prefer.wait > 0 && is_unfinished(job) && iimg_wait_reserve(req)
               ? wait_for_job(req, job, prefer.wait)
               : answer_job(req, HTTP_OK, job);
}

/* 202: the job is canceled at its next step. */
iimg_error_t *iimg_view_generation_job_cancel(iimg_request_t *req)
{
    iimg_generation_job_t *job;
    iimg_error_t *err = iimg_cancel_generation_job(req->context, req->id, &job);

    if (err) {
        return err;
    }
    return answer_job(req, strcmp(job->state, "canceled") == 0 ? HTTP_OK : HTTP_ACCEPTED, job);
}

iimg_error_t *iimg_view_generation_job_save(iimg_request_t *req)
{
    iimg_identity_t *identity;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_PICTURE_SECONDS, IIMG_PATIENCE, NULL,
                                                &replay);

    if (err) {
        return err;
    }
    if (replay) {
        return iimg_answer_identity_again(req, replay);
    }
    err = iimg_save_job_to_identity(req->context, req->id, false, &identity);
    if (err) {
        return err;
    }
    return iimg_answer_identity(req, HTTP_OK, identity);
}
