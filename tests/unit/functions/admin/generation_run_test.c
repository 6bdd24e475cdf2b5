/* generation_run_test.c - what a job that failed leaves in its row, in whose name a picture is
 * saved, and whose fault a picture is that the worker does not take. */
#include "functions/admin/generation_run.h"
#include "sql.h"
#include "services/gemini/gemini.h"
#include "services/generators.h"
#include "services/pictures/worker_client.h"

#define ID   "00000000-0000-4000-8000-000000000001"
#define USER "00000000-0000-4000-8000-00000000000a"

static iimg_services_t services = { .owner = "n/1/a" };
static iimg_worker_outcome_t worker_outcome; /* of a picture that the worker does not take */

iimg_error_t *iimg_picture_worker_ask(iimg_context_t *of, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply)
{
    (void)of, (void)worker, (void)question;
    *reply = (iimg_worker_reply_t){ .outcome = worker_outcome, .why = "why" };
    return NULL;
}

iimg_error_t *iimg_picture_worker_send(iimg_context_t *of, const iimg_picture_worker_t *worker,
                                       const iimg_worker_question_t *question,
                                       iimg_worker_reply_t *reply, iimg_worker_call_t **call)
{
    *call = NULL;
    return iimg_picture_worker_ask(of, worker, question, reply);
}

bool iimg_picture_worker_is_sent(const iimg_worker_call_t *call)
{
    (void)call;
    return false;
}

iimg_error_t *iimg_picture_worker_wait(iimg_worker_call_t *call)
{
    (void)call;
    return NULL;
}

static void make_job(iimg_context_t *context, iimg_generation_run_t *run, const char *set)
{
    memset(run, 0, sizeof(*run));
    sql_run(context, "DELETE FROM generation_jobs");
    sql_run(
        context,
        "INSERT INTO generation_jobs (id, state, owner, lease_expires_at, prompt_used, generator, model, aspect_ratio,"
        " resolution, reference_image_ids, warnings) VALUES ('" ID
        "', 'running', 'n/1/a', now(), '', 'g', 'm', '1:1', '1K', '{}', '{a}')");
    if (*set) {
        sql_run(context, "UPDATE generation_jobs SET %s", set);
    }
    tap_ok(!iimg_generation_run_read(context, ID, run) && run->job, "a job is read");
}

static void test_fail(iimg_context_t *context)
{
    static const iimg_generator_result_t picture = { .data = "x", .length = 1 },
                                         none = { .length = 0 };
    static const struct {
        const iimg_generator_t *generator;
        const iimg_generator_result_t *result;
        const char *said, *billed, *sentence;
    } rows[] = {
        { &iimg_generator_gemini, NULL, "f", "f", "a failure that was not billed" },
        { &iimg_generator_gemini, NULL, "t", "t", "one that was" },
        { &iimg_generator_gemini, NULL, NULL, NULL, "one with an unknown outcome" },
        { &iimg_generator_gemini, &none, NULL, NULL,
          "a reply without a picture, with an unknown outcome" },
        { &iimg_generator_gemini, &none, "f", "f",
          "an answer without a picture that was not billed" },
        { &iimg_generator_gemini, &picture, NULL, "t",
          "a picture that could not be kept was billed" },
        { &iimg_generator_gemini, &picture, "f", "t", "... whatever the error says" },
        { &iimg_generator_preview, NULL, NULL, "f", "a preview is never billed" },
        { &iimg_generator_preview, &picture, "t", "f", "... also with a picture" },
    };
    iimg_generation_run_t run;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t cause = {
            .message = "It failed.", .code = "code", .billed = rows[i].said, .retry_after = 7
        };
        iimg_generator_result_t result;

        services.generator = rows[i].generator;
        make_job(context, &run, "");
        APR_ARRAY_PUSH(run.warnings, const char *) = "b";
        if (rows[i].result) {
            result = *rows[i].result;
            result.usage = "{}";
            result.cost = "0.5";
            result.warnings = apr_array_make(context->pool, 1, sizeof(const char *));
            APR_ARRAY_PUSH(result.warnings, const char *) = "c";
            run.result = &result;
        }
        run.outcome.image = "of an attempt before";
        tap_ok(!iimg_generation_run_fail(context, &run, &cause, 503), "it fails");
        tap_is(sql_run(context, "SELECT error_billed FROM generation_jobs"), rows[i].billed, "%s",
               rows[i].sentence);
        tap_is(
            sql_run(
                context,
                "SELECT concat_ws('|', state, image, error_code, error_detail, error_status, error_retry_after, usage, cost, warnings)"
                " FROM generation_jobs"),
            rows[i].result ? "failed|code|It failed.|503|7|{}|0.500000|{a,b,c}"
                           : "failed|code|It failed.|503|7|{a,b}",
            "... with all that is known");
        tap_is(run.job->state, "failed", "... and the job is read anew");
        tap_is_number(run.warnings->nelts, 1, "... its warnings are not counted twice");
    }
    make_job(context, &run, "owner = 'n/1/b'");
    tap_ok(!iimg_generation_run_fail(context, &run,
                                     &(iimg_error_t){ .message = "x", .code = "code" }, 503),
           "a job that another process runs");
    tap_is(sql_run(context, "SELECT state || owner FROM generation_jobs"), "runningn/1/b",
           "... goes on there");
    tap_is(run.job->state, "running", "... and is not read anew");
    sql_run(context, "DELETE FROM generation_jobs");
    tap_ok(iimg_generation_run_read(context, ID, &run) != NULL,
           "a job that is deleted is not found");
}

#define MADE \
    "owner = NULL, lease_expires_at = NULL, finished_at = now(), image = 'x/y', user_id = '" USER \
    "', requested_by = '" USER "', save_to_identity = true, "

static void test_save(iimg_context_t *context)
{
    static const struct {
        const char *set, *user, *code, *sentence;
        int kind;
    } rows[] = {
        { MADE "state = 'succeeded'", "is_staff = true", "identity_not_found",
          "a picture whose identity was deleted", IIMG_NOT_FOUND },
        { MADE "state = 'succeeded', identity_id = '" USER "'", "is_staff = false",
          "permission_denied", "one whose requester is no staff any more", IIMG_FORBIDDEN },
        { MADE "state = 'succeeded', identity_id = '" USER "'",
          "is_staff = true, is_active = false", "not_authenticated",
          "one whose requester may not log in any more", IIMG_UNAUTHENTICATED },
        { MADE "state = 'succeeded', identity_id = '" USER "', error_code = NULL",
          "email = 'b@example.com'", "permission_denied",
          "one whose requester has another email, and is no staff", IIMG_FORBIDDEN },
        { MADE "state = 'canceled', identity_id = '" USER "'", "is_staff = false", NULL,
          "one that was canceled is not saved", -1 },
        { MADE "state = 'succeeded', identity_id = '" USER "', saved_at = now()",
          "is_staff = false", NULL, "nor is one that was saved before", -1 },
        { MADE "state = 'failed', identity_id = '" USER "'", "is_staff = false", NULL,
          "nor is a failure", -1 },
    };
    iimg_generation_run_t run;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err;

        sql_run(context, "DELETE FROM users");
        sql_run(context, "INSERT INTO users (id, email) VALUES ('" USER "', 'a@example.com')");
        sql_run(context, "UPDATE users SET %s", rows[i].user);
        context->login = NULL;
        context->caller = NULL;
        make_job(context, &run, rows[i].set);
        err = iimg_generation_run_save(context, &run);
        tap_is_number(err ? (int)err->kind : -1, rows[i].kind, "%s", rows[i].sentence);
        tap_is(err ? err->code : NULL, rows[i].code, "... and the code says so");
    }
    make_job(context, &run, MADE "state = 'succeeded', identity_id = '" USER "'");
    run.job->requested_by = NULL;
    context->login = NULL;
    tap_ok(iimg_generation_run_save(context, &run) != NULL,
           "one whose requester was deleted is not saved");
    run.job->save_to_identity = false;
    tap_ok(!iimg_generation_run_save(context, &run), "one that was not to be saved is not");
}

/* A paid picture is stored again later, unless it is none. */
static void test_worker(iimg_context_t *context)
{
    static const char jpeg[] = "\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0";
    static const struct {
        iimg_worker_outcome_t outcome;
        iimg_generator_result_t result;
        int kind;
        const char *sentence;
    } rows[] = {
        { IIMG_WORKER_BUSY,
          { .data = jpeg, .length = sizeof(jpeg) },
          IIMG_BUSY,
          "a picture that a busy worker does not take may be stored later" },
        { IIMG_WORKER_DOWN,
          { .data = jpeg, .length = sizeof(jpeg) },
          IIMG_UNAVAILABLE,
          "one for which there is no worker, too" },
        { IIMG_WORKER_DOWN,
          { .data = "text", .length = 4 },
          IIMG_UPSTREAM,
          "data that is no picture is the provider's fault" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_generator_result_t result = rows[i].result;
        iimg_generation_run_t run = { .result = &result };
        iimg_error_t *err;

        worker_outcome = rows[i].outcome;
        err = iimg_generation_run_store(context, &run);
        tap_is_number(err ? (int)err->kind : -1, rows[i].kind, "%s", rows[i].sentence);
    }
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "users", NULL };
    iimg_context_t *context = work_begin();

    context->services = &services;
    if (sql_open(context, tables)) {
        test_fail(context);
        test_save(context);
    }
    test_worker(context);
    sql_end(context);
    work_end(context);
    return tap_done();
}
