/* wait_condition.c - the job that a request waits for: whether it has changed or ended. */
#include "server/jobs/wait_condition.h"

#include "models/generation_job.h"

static bool is_met(const iimg_wait_condition_t *condition, const apr_array_header_t *states)
{
    const iimg_generation_job_news_t *state;

    if (states->nelts == 0) {
        return true; /* the job was deleted */
    }
    state = &APR_ARRAY_IDX(states, 0, iimg_generation_job_news_t);
    return state->ended || (condition->version >= 0 && state->version != condition->version);
}

bool iimg_wait_condition_is_met(iimg_request_t *req, const iimg_wait_condition_t *condition,
                                bool *known)
{
    apr_array_header_t *ids, *states;
    iimg_context_t brief;
    bool met;

    *known = iimg_context_brief(req->context, &brief);
    if (!*known) {
        return false;
    }
    ids = apr_array_make(brief.pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(ids, const char *) = condition->job_id;
    *known = iimg_generation_job_news(&brief, ids, &states) == NULL;
    met = *known && is_met(condition, states);
    apr_pool_destroy(brief.pool);
    return met;
}
