/* generation_job_test.c - who may claim, take, renew, cancel and finish which job, to the
 * microsecond. */
#include "models/generation_job.h"
#include "sql.h"

#define ID       "00000000-0000-4000-8000-000000000001"
#define OTHER    "00000000-0000-4000-8000-000000000002"
#define IDENTITY "00000000-0000-4000-8000-00000000001d"

/* Makes row `id` (and OTHER beside it, queued under a lease). `set` is SQL: its assignments. */
static void make_row(iimg_context_t *context, const char *set)
{
    sql_run(context, "DELETE FROM generation_jobs");
    for (int i = 0; i < 2; i++) {
        sql_run(
            context,
            "INSERT INTO generation_jobs (id, lease_expires_at, prompt_used, generator, model,"
            " aspect_ratio, resolution, reference_image_ids, warnings, created_at) VALUES ('%s',"
            " now() + interval '1 hour', '', 'gemini', 'm', '1:1', '1K', '{}', '{a}',"
            " now() - interval '1 day')",
            i ? OTHER : ID);
    }
    sql_run(context, "UPDATE generation_jobs SET %s WHERE id = '" ID "'", set);
}

static const char *row(iimg_context_t *context, const char *columns)
{
    return sql_run(context, "SELECT concat_ws('|', %s) FROM generation_jobs WHERE id = '" ID "'",
                   columns);
}

static void other_is_untouched(iimg_context_t *context)
{
    tap_is(
        sql_run(
            context,
            "SELECT concat_ws('|', state, owner, attempts, lease_expires_at - now(), saved_at,"
            " warnings, cancel_requested_at, finished_at) FROM generation_jobs WHERE id = '" OTHER
            "'"),
        "queued|0|01:00:00|{a}", "another job does not change");
}

#define RUNNING "state = 'running', attempts = 1, started_at = now() - interval '1 minute', "
#define FAILED \
    "state = 'failed', lease_expires_at = NULL, finished_at = now() - interval '1 minute', "

static void test_claim(iimg_context_t *context)
{
    iimg_generation_job_t *job;

    make_row(context, "lease_expires_at = NULL");
    tap_ok(!iimg_generation_job_claim(context, ID, "n/1/a", 45, &job) && job,
           "a job that waits is claimed");
    tap_is(row(context, "state, owner, attempts, lease_expires_at - now(), started_at = now()"),
           "running|n/1/a|1|00:00:45|t", "the claimed job has its owner, attempt and lease");
    other_is_untouched(context);
    tap_ok(!iimg_generation_job_claim(context, ID, "n/1/b", 45, &job) && !job,
           "a job that runs is not claimed");
    tap_is(row(context, "owner"), "n/1/a", "the claimed job keeps its owner");
}

static void test_take(iimg_context_t *context)
{
    static const struct {
        const char *set, *sentence;
        bool taken;
    } rows[] = {
        { "lease_expires_at = NULL", "a job that waits", true },
        { "lease_expires_at = now() - interval '1 microsecond'",
          "a queued job whose lease has expired", true },
        { "lease_expires_at = now()", "a queued job whose lease expires now", false },
        { RUNNING "owner = 'n/1/b', lease_expires_at = now() - interval '1 microsecond'",
          "a job of this node after its lease", true },
        { RUNNING "owner = 'n/1/b', lease_expires_at = now()",
          "a job of this node whose lease ends now", false },
        { RUNNING "owner = 'n/1/a', lease_expires_at = now() - interval '1 hour'",
          "the taker's own", false },
        { RUNNING "owner = 'o/1/b', lease_expires_at = now() - interval '60 s'",
          "a job of another node, a minute after its lease", false },
        { RUNNING "owner = 'o/1/b', lease_expires_at = now() - interval '60.000001 s'",
          "a job of another node, more than a minute after its lease", true },
        { FAILED "owner = NULL", "a failed job", false },
    };
    iimg_generation_taker_t taker = { "n/1/a", "n", 45, 10, 0 };
    apr_array_header_t *ids;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(context, rows[i].set);
        tap_ok(!iimg_generation_job_take(context, &taker, &ids) && ids->nelts == rows[i].taken
                   && (!rows[i].taken || strcmp(APR_ARRAY_IDX(ids, 0, const char *), ID) == 0),
               "%s is %s", rows[i].sentence, rows[i].taken ? "taken" : "left");
        other_is_untouched(context);
    }
    make_row(context,
             "lease_expires_at = NULL, attempts = 1, started_at = now() - interval '5 minutes'");
    iimg_generation_job_take(context, &taker, &ids);
    tap_is(row(context, "state, owner, attempts, lease_expires_at - now(), now() - started_at"),
           "running|n/1/a|2|00:00:45|00:05:00",
           "a job that is taken again keeps its start, and counts the attempt");
}

static void test_most(iimg_context_t *context)
{
    static const struct {
        int most, at_once, running, expired, taken;
        const char *sentence;
    } rows[] = {
        { 10, 0, 3, 0, 4, "without a limit all are taken" },
        { 2, 0, 0, 0, 2, "no more than there is room for" },
        { 10, 3, 1, 0, 2, "no more than may run at once" },
        { 10, 3, 3, 0, 0, "none, where as many run as may" },
        { 10, 3, 4, 0, 0, "none, where more run than may" },
        { 1, 3, 1, 0, 1, "the smaller of the two" },
        { 10, 3, 1, 2, 2, "a job whose lease ends now does not run" },
    };
    apr_array_header_t *ids;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_generation_taker_t taker = { "n/1/a", "n", 45, rows[i].most, rows[i].at_once };

        make_row(context, "lease_expires_at = NULL");
        sql_run(
            context,
            "INSERT INTO generation_jobs (state, created_at, owner, lease_expires_at, prompt_used, generator,"
            " model, aspect_ratio, resolution, reference_image_ids) SELECT CASE WHEN n > 3 THEN 'running' ELSE 'queued' END,"
            " now() - make_interval(hours => 30 - n), 'o/1/b', CASE WHEN n > 3 + %d THEN now() WHEN n > 3 THEN now() + interval '1 s' END,"
            " '', 'gemini', 'm', '1:1', '1K', '{}' FROM generate_series(1, 3 + %d + %d) n",
            rows[i].running, rows[i].running, rows[i].expired);
        tap_ok(!iimg_generation_job_take(context, &taker, &ids) && ids->nelts == rows[i].taken,
               "%s", rows[i].sentence);
        tap_is(
            sql_run(context,
                    "SELECT count(*) FROM generation_jobs WHERE owner = 'n/1/a' AND created_at <"
                    " coalesce((SELECT min(created_at) FROM generation_jobs WHERE state = 'queued'"
                    " AND lease_expires_at IS NULL), 'infinity')"),
            apr_itoa(context->pool, rows[i].taken), "the oldest jobs are taken first");
    }
}

/* Statements of an owner about their own jobs. */
static void test_owner(iimg_context_t *context)
{
    static const struct {
        const char *set, *sentence;
        bool own, lease, cancel;
    } rows[] = {
        { RUNNING "owner = 'n/1/a', lease_expires_at = now() + interval '9 s'", "an own job", true,
          true, false },
        { RUNNING
          "owner = 'n/1/a', lease_expires_at = now() + interval '9 s', cancel_requested_at = now()",
          "an own job that is to be canceled", true, true, true },
        { RUNNING "owner = 'n/1/a', lease_expires_at = now() - interval '9 s'",
          "an own job whose lease has ended", true, false, false },
        { RUNNING
          "owner = 'n/1/b', lease_expires_at = now() + interval '9 s', cancel_requested_at = now()",
          "another process's job", false, false, false },
        { "owner = 'n/1/a', lease_expires_at = now() + interval '9 s', cancel_requested_at = now()",
          "a job that waits", false, false, false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_array_header_t *ids;
        const char *before;
        int count = 0;

        make_row(context, rows[i].set);
        before = row(context, "lease_expires_at - now()");
        tap_ok(!iimg_generation_job_to_cancel(context, "n/1/a", &ids)
                   && ids->nelts == rows[i].cancel,
               "%s: whether to cancel it", rows[i].sentence);
        tap_ok(!iimg_generation_job_release(context, "n/1/a", &count) && count == rows[i].lease,
               "%s: whether it is released", rows[i].sentence);
        tap_is(row(context, "lease_expires_at - now()"), rows[i].lease ? "00:00:00" : before,
               "a released job can be taken");
        tap_ok(!iimg_generation_job_renew(context, "n/1/a", 45), "leases are renewed");
        tap_is(row(context, "lease_expires_at - now()"), rows[i].own ? "00:00:45" : before,
               "%s: whether its lease is", rows[i].sentence);
        other_is_untouched(context);
    }
}

static void test_news(iimg_context_t *context)
{
    static const struct {
        const char *set, *sentence;
        bool ended;
    } rows[] = {
        { "attempts = 0", "a job that waits has not ended", false },
        { RUNNING "owner = 'x'", "a running job has not ended", false },
        { FAILED "owner = NULL", "a failed job has ended", true },
        { "state = 'failed', finished_at = now(), save_to_identity = true",
          "a failed job to be saved has ended", true },
        { "state = 'succeeded', finished_at = now()", "a succeeded job has ended", true },
        { "state = 'succeeded', finished_at = now(), save_to_identity = true",
          "not while its picture is being saved", false },
        { "state = 'succeeded', finished_at = now() - interval '14.999999 s', save_to_identity = true",
          "a job that is not saved has not ended for 15 seconds", false },
        { "state = 'succeeded', finished_at = now() - interval '15 s', save_to_identity = true",
          "after them it has", true },
        { "state = 'succeeded', finished_at = now(), save_to_identity = true, saved_at = now()",
          "a saved job has ended", true },
    };
    apr_array_header_t *ids = apr_array_make(context->pool, 1, sizeof(const char *)), *news;

    APR_ARRAY_PUSH(ids, const char *) = ID;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(context, rows[i].set);
        sql_run(context, "UPDATE generation_jobs SET version = 7 WHERE id = '" ID "'");
        tap_ok(!iimg_generation_job_news(context, ids, &news) && news->nelts == 1,
               "there is news of one job");
        tap_ok(APR_ARRAY_IDX(news, 0, iimg_generation_job_news_t).ended == rows[i].ended, "%s",
               rows[i].sentence);
        tap_is_number(APR_ARRAY_IDX(news, 0, iimg_generation_job_news_t).version, 7,
                      "the progress has the version");
    }
}

#define OF(identity, to_save, ago) \
    "state = 'succeeded', save_to_identity = " to_save ", identity_id = '" identity "'," \
    " finished_at = now() - interval '" ago "'"
#define MADE(ago) OF(IDENTITY, "true", ago)

static void test_unsaved(iimg_context_t *context)
{
    static const struct {
        const char *set, *other, *sentence;
        int count;
    } rows[] = {
        { MADE("3 minutes"), "attempts = 0", "a picture that was to be saved is found", 1 },
        { MADE("2 minutes"), "attempts = 0", "not before two minutes have passed", 0 },
        { MADE("2 minutes 0.000001 s"), "attempts = 0",
          "a picture unsaved for more than two minutes is listed", 1 },
        { MADE("9 minutes 59.999999 s"), "attempts = 0",
          "a picture unsaved for almost ten minutes is listed", 1 },
        { MADE("10 minutes"), "attempts = 0", "a picture unsaved for ten minutes is not listed",
          0 },
        { MADE("3 minutes") ", saved_at = now()", "attempts = 0", "a saved picture is not listed",
          0 },
        { OF(IDENTITY, "false", "3 minutes"), "attempts = 0",
          "a picture that is not to be saved is not listed", 0 },
        { "state = 'failed', finished_at = now() - interval '3 minutes', save_to_identity = true",
          "attempts = 0", "a failed job is not listed", 0 },
        { MADE("3 minutes"), MADE("4 minutes") ", saved_at = now() - interval '1 minute'",
          "a picture older than the identity's is not listed", 0 },
        { MADE("3 minutes"), MADE("4 minutes") ", saved_at = now() - interval '3 minutes'",
          "an earlier picture is replaced", 1 },
        { MADE("3 minutes"), OF(OTHER, "true", "4 minutes") ", saved_at = now()",
          "another identity's picture is none of its own", 1 },
    };
    apr_array_header_t *ids;
    bool first;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(context, rows[i].set);
        sql_run(context, "UPDATE generation_jobs SET %s WHERE id = '" OTHER "'", rows[i].other);
        tap_ok(!iimg_generation_job_unsaved(context, &ids) && ids->nelts == rows[i].count, "%s",
               rows[i].sentence);
    }
    make_row(context, MADE("3 minutes"));
    tap_ok(!iimg_generation_job_saved(context, ID, &first) && first,
           "the first process to save a picture is told so");
    tap_ok(!iimg_generation_job_saved(context, ID, &first) && !first,
           "the second save is not the first");
    other_is_untouched(context);
    tap_ok(!iimg_generation_job_warn(context, ID, "b"), "a warning is added");
    tap_is(row(context, "warnings"), "{a,b}", "a warning is added to existing ones");
    other_is_untouched(context);
}

static void test_cancel(iimg_context_t *context)
{
    static const struct {
        const char *set, *after, *sentence;
    } rows[] = {
        { "lease_expires_at = NULL, owner = 'x'", "canceled|t|t",
          "a job that waits is canceled at once" },
        { RUNNING "owner = 'x', lease_expires_at = now() + interval '9 s'", "running|x|00:00:09|t",
          "a running job keeps its owner and lease" },
        { RUNNING
          "owner = 'x', lease_expires_at = now(), cancel_requested_at = now() - interval '1 s'",
          "running|x|00:00:00|f", "the first request to cancel it counts" },
        { FAILED "owner = NULL", NULL, "a failed job is not canceled" },
        { "state = 'succeeded', lease_expires_at = NULL, finished_at = now()", NULL,
          "a succeeded job is not canceled" },
    };
    iimg_generation_job_t *job;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(context, rows[i].set);
        tap_ok(!iimg_generation_job_cancel(context, ID, &job) && !job == !rows[i].after, "%s",
               rows[i].sentence);
        if (rows[i].after) {
            tap_is(
                row(context,
                    "state, owner, lease_expires_at - now(), finished_at = now(), cancel_requested_at = now()"),
                rows[i].after, "the row has its new values");
            tap_ok(job->cancel_requested, "the job is to be canceled");
        }
        other_is_untouched(context);
    }
}

#define CANCELED_LATE \
    ",\"This generation was canceled after the picture had been requested. It is stored with this job only.\""

static void test_finish(iimg_context_t *context)
{
    static const struct {
        const char *set, *image, *after, *sentence;
    } rows[] = {
        { RUNNING "owner = 'n/1/a'", "k", "succeeded|k|{a,w}", "an own job gets its picture" },
        { RUNNING "owner = 'n/1/a'", NULL, "failed|{a,w}", "a running job fails" },
        { RUNNING "owner = 'n/1/b'", "k", "succeeded|k|{a,w}",
          "a job of another owner is finished with a picture" },
        { RUNNING "owner = 'n/1/b'", NULL, NULL, "a failure is not" },
        { RUNNING "owner = 'n/1/a', cancel_requested_at = now()", "k",
          "canceled|k|{a,w" CANCELED_LATE "}",
          "a job to be canceled keeps its picture and is canceled" },
        { RUNNING "owner = 'n/1/a', cancel_requested_at = now()", NULL, "canceled|{a,w}",
          "a job to be canceled without a picture is canceled" },
        { FAILED "error_code = 'lost'", "k", "succeeded|k|{a,w}",
          "a job that was given up as lost gets its picture" },
        { FAILED "error_code = 'lost'", NULL, NULL, "a lost job is not failed again" },
        { FAILED "error_code = 'timeout'", "k", NULL,
          "a failed job is not finished with a picture" },
        { "attempts = 0", "k", NULL, "a queued job is not finished" },
        { "state = 'succeeded', owner = NULL, lease_expires_at = NULL, finished_at = now(), image = 'first'",
          "k", NULL, "a succeeded job keeps its picture" },
        { "state = 'canceled', owner = NULL, lease_expires_at = NULL, finished_at = now(), error_code = 'lost'",
          "k", NULL, "a canceled job stays canceled" },
    };
    apr_array_header_t *warnings = apr_array_make(context->pool, 1, sizeof(const char *));
    iimg_generation_job_t *job;

    APR_ARRAY_PUSH(warnings, const char *) = "w";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_generation_outcome_t outcome = { .image = rows[i].image, .warnings = warnings };

        make_row(context, rows[i].set);
        tap_ok(!iimg_generation_job_finish(context, ID, "n/1/a", &outcome, &job)
                   && !job == !rows[i].after,
               "%s", rows[i].sentence);
        if (rows[i].after) {
            tap_is(row(context, "state, image, warnings, owner, lease_expires_at"), rows[i].after,
                   "the row has its new values");
        }
        other_is_untouched(context);
    }
}

/* Each value of an outcome has a place of its own, in the row and in what is read of it. */
static void test_values(iimg_context_t *context)
{
    static const iimg_generation_outcome_t failure = { .error_code = "code",
                                                       .error_detail = "detail",
                                                       .error_billed = "f",
                                                       .error_status = 429,
                                                       .error_retry_after = 30,
                                                       .usage = "{\"a\": 1}",
                                                       .cost = "0.25" },
                                           success = { .image = "k",
                                                       .media_type = "image/png",
                                                       .width = 640,
                                                       .height = 480 };
    iimg_generation_job_t *job;

    make_row(context, RUNNING "owner = 'n/1/a'");
    tap_ok(!iimg_generation_job_finish(context, ID, "n/1/a", &failure, &job) && job,
           "a failure is kept");
    tap_is(
        row(context,
            "error_code, error_detail, error_billed, error_status, error_retry_after, usage, cost, image, width"),
        "code|detail|f|429|30|{\"a\": 1}|0.250000", "the failed job has all its values");
    tap_ok(job && job->error_status == 429 && job->error_retry_after == 30
               && strcmp(job->error_code, "code") == 0 && strcmp(job->error_detail, "detail") == 0
               && strcmp(job->error_billed, "f") == 0 && strcmp(job->cost, "0.250000") == 0
               && !job->image && job->attempts == 1,
           "the job is read with these values");
    make_row(context, RUNNING "owner = 'n/1/a'");
    tap_ok(!iimg_generation_job_finish(context, ID, "n/1/a", &success, &job) && job,
           "a picture is kept");
    tap_is(
        row(context,
            "image, media_type, width, height, error_code, error_status, error_retry_after, cost"),
        "k|image/png|640|480", "the succeeded job has its dimensions");
    tap_ok(job && strcmp(job->width, "640") == 0 && strcmp(job->height, "480") == 0
               && strcmp(job->media_type, "image/png") == 0,
           "the job is read with these values");
}

#define UUID(n) "00000000-0000-4000-8000-00000000000" #n

static void test_insert(iimg_context_t *context)
{
    apr_array_header_t *ids = apr_array_make(context->pool, 1, sizeof(const char *)),
                       *warnings = apr_array_make(context->pool, 1, sizeof(const char *));
    iimg_generation_job_t wanted = { .identity_id = UUID(1),
                                     .user_id = UUID(2),
                                     .requested_by = UUID(3),
                                     .prompt_id = UUID(4),
                                     .prompt_version = "5",
                                     .prompt_used = "prompt",
                                     .additional_prompt = "more",
                                     .save_to_identity = true,
                                     .generator = "generator",
                                     .model = "model",
                                     .requested_model = "alias",
                                     .aspect_ratio = "1:8",
                                     .resolution = "2K",
                                     .reference_image_ids = ids,
                                     .warnings = warnings,
                                     .expected_cost = "0.25" },
                          *job = &wanted;

    APR_ARRAY_PUSH(ids, const char *) = UUID(6);
    APR_ARRAY_PUSH(warnings, const char *) = "w";
    tap_ok(!iimg_generation_job_insert(context, &job) && job, "a job is inserted");
    tap_is(
        sql_run(
            context,
            "SELECT concat_ws('|', identity_id, user_id, requested_by, prompt_id, prompt_version, prompt_used,"
            " additional_prompt, save_to_identity, generator, model, requested_model, aspect_ratio, resolution,"
            " reference_image_ids, warnings, expected_cost, state, owner, attempts) FROM generation_jobs WHERE id = '%s'",
            job->id),
        UUID(1) "|" UUID(2) "|" UUID(3) "|" UUID(
            4) "|5|prompt|more|t|generator|model|alias|1:8|2K|{" UUID(6) "}|{w}|0.250000|queued|0",
        "each value is in its column");
    tap_is(apr_pstrcat(context->pool, job->identity_id, job->user_id, job->requested_by,
                       job->prompt_id, job->prompt_version, job->prompt_used,
                       job->additional_prompt, job->generator, job->model, job->requested_model,
                       job->aspect_ratio, job->resolution, NULL),
           UUID(1) UUID(2) UUID(3) UUID(4) "5promptmoregeneratormodelalias1:82K",
           "each text is read from its column");
    tap_ok(job->save_to_identity && job->reference_image_ids->nelts == 1
               && job->warnings->nelts == 1 && !job->cancel_requested && !job->saved_at
               && job->created_at && !job->started_at && !job->finished_at,
           "lists, booleans and times are read from their columns");
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "identities", NULL };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        test_insert(context);
        test_claim(context);
        test_take(context);
        test_most(context);
        test_owner(context);
        test_news(context);
        test_unsaved(context);
        test_cancel(context);
        test_finish(context);
        test_values(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
