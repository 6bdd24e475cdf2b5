/* task_test.c - server/jobs/task.c: the steps of a job, their retries and their ends, by a clock of
 * the test's own. */
#include <apr_time.h>
#include <fcntl.h>
#include <unistd.h>

static apr_time_t task_clock = 1800000000000000;

#define apr_time_now() task_clock
#include "server/jobs/task.c"
#undef apr_time_now

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t config;
static iimg_services_t services;
static iimg_generation_job_t job;
static char dir[] = "/tmp/iimg-task.XXXXXX";

/* Results and calls of the stubs. */
static struct {
    iimg_error_t *read, *load, *keep, *fail, *save, *prepare, *finish;
    bool retries, found, flushed;
    int keep_error;
    char calls[512];
    const char *warning, *failure_code;
    int failure_status;
} world;

static void note(const char *call)
{
    if (world.calls[0]) {
        strcat(world.calls, " ");
    }
    strcat(world.calls, call);
}

static iimg_error_t *error_of(iimg_error_kind_t kind)
{
    return iimg_error(context->pool, kind, "reason %d", kind);
}

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name)
{
    iimg_context_t *made = apr_pmemdup(pool, context, sizeof(*made));

    (void)server;
    made->pool = pool;
    made->request_id = name;
    return made;
}

int iimg_respond_status(const iimg_error_t *err)
{
    return 500 + (int)err->kind;
}

const char *iimg_respond_code(const iimg_error_t *err)
{
    return err->code ? err->code : "kind";
}

iimg_error_t *iimg_generation_run_read(iimg_context_t *of, const char *id,
                                       iimg_generation_run_t *run)
{
    (void)of, (void)id;
    note("read");
    run->job = &job;
    return world.read;
}

iimg_error_t *iimg_generation_run_load(iimg_context_t *of, iimg_generation_run_t *run)
{
    (void)of, (void)run;
    note("load");
    return world.load;
}

iimg_error_t *iimg_generation_run_store(iimg_context_t *of, iimg_generation_run_t *run)
{
    (void)of, (void)run;
    note("keep");
    return world.keep;
}

iimg_error_t *iimg_generation_run_fail(iimg_context_t *of, iimg_generation_run_t *run,
                                       const iimg_error_t *cause, int status)
{
    (void)of, (void)run;
    note("fail");
    world.failure_code = cause->code;
    world.failure_status = status;
    return world.fail;
}

iimg_error_t *iimg_generation_run_save(iimg_context_t *of, iimg_generation_run_t *run)
{
    (void)of, (void)run;
    note("save");
    return world.save;
}

iimg_error_t *iimg_generation_job_warn(iimg_context_t *of, const char *id, const char *warning)
{
    (void)of, (void)id;
    note("warn");
    world.warning = warning;
    return NULL;
}

iimg_spool_t *iimg_spool_open(apr_pool_t *pool, const char *path, int *error)
{
    (void)pool, (void)path;
    *error = world.found ? 0 : ENOENT;
    return world.found ? (iimg_spool_t *)&world : NULL;
}

int iimg_spool_keep(apr_pool_t *pool, iimg_spool_t *spool, const char *path)
{
    (void)pool, (void)spool;
    note("spool");
    if (!world.keep_error) {
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    return world.keep_error;
}

int iimg_spool_flush(const iimg_spool_t *spool)
{
    (void)spool;
    note("flush");
    return 0;
}

/* The generator -------------------------------------------------------------------------------- */

static void *steps_begin(iimg_context_t *of, const iimg_generator_settings_t *settings,
                         const iimg_generator_request_t *request, apr_time_t now)
{
    (void)of, (void)settings, (void)request, (void)now;
    note("begin");
    return &world;
}

static iimg_error_t *steps_prepare(iimg_context_t *of, apr_pool_t *pool, void *it, apr_time_t now,
                                   iimg_http_request_t *http)
{
    (void)of, (void)pool, (void)it, (void)now, (void)http;
    note("prepare");
    return world.prepare;
}

static iimg_error_t *steps_finish(iimg_context_t *of, void *it,
                                  const iimg_http_response_t *response, apr_time_t now,
                                  iimg_generator_result_t **result)
{
    (void)of, (void)it, (void)response, (void)now, (void)result;
    note("finish");
    return world.finish;
}

static bool steps_again(iimg_context_t *of, void *it, const iimg_error_t *err, apr_time_t now,
                        apr_interval_time_t *wait)
{
    (void)of, (void)it, (void)err, (void)now;
    note("again");
    *wait = 7;
    return world.retries;
}

static void steps_end(iimg_context_t *of, void *it, iimg_generator_result_t **result)
{
    (void)of, (void)it, (void)result;
    note("end");
}

static iimg_error_t *generate(iimg_context_t *of, const iimg_generator_settings_t *settings,
                              const iimg_generator_request_t *request,
                              iimg_generator_result_t **result)
{
    (void)of, (void)settings, (void)request, (void)result;
    note("generate");
    return world.finish;
}

static const iimg_generator_steps_t generator_steps = { steps_begin, steps_prepare, steps_finish,
                                                        steps_again, steps_end };
static const iimg_generator_t with_steps = { .name = "double", .steps = &generator_steps };
static const iimg_generator_t at_once = { .name = "atonce", .generate = generate };

static iimg_task_t *task_at(iimg_step_t step)
{
    iimg_task_t *task;

    memset(&world, 0, sizeof(world));
    memset(&job, 0, sizeof(job));
    job.state = "running";
    job.attempts = 1;
    job.resolution = "1K";
    job.aspect_ratio = "16:9";
    config.generation_attempts = 3;
    services.generator = &with_steps;
    services.generator_settings.spool_dir = dir;
    work_log_clear(context);
    task = iimg_task_create(NULL, "11111111-1111-4111-8111-111111111111");
    task->step = step;
    if (step != IIMG_STEP_LOAD) {
        task->run.job = &job;
        task->run.spool = apr_psprintf(task->pool, "%s/%s.reply", dir, task->id);
        task->generator_state = &world;
    }
    return task;
}

static void check(iimg_task_t *task, const char *calls, iimg_step_t step, apr_interval_time_t wait,
                  const char *what)
{
    tap_is(world.calls, calls, "%s: these calls", what);
    tap_is_number(task->step, step, "%s: this step next", what);
    tap_is_number(task->due ? task->due - task_clock : 0, wait, "%s: this pause", what);
}

/* Beginning ------------------------------------------------------------------------------------ */

static void test_begin(void)
{
    static const struct {
        const char *what;
        const char *state;
        int attempts;
        bool found, canceled, failing;
        int read, load; /* kinds of errors, -1: none */
        const char *calls;
        iimg_step_t step;
        apr_interval_time_t wait;
        const char *code;
    } cases[] = {
        { "a job", "running", 1, false, false, false, -1, -1, "read load begin prepare",
          IIMG_STEP_CALL, 0, NULL },
        { "a job that has ended", "succeeded", 1, false, false, false, -1, -1, "read",
          IIMG_STEP_END, 0, NULL },
        { "no database", "running", 1, false, false, false, IIMG_UNAVAILABLE, -1, "read",
          IIMG_STEP_LOAD, 250000, NULL },
        { "a busy database", "running", 1, false, false, false, IIMG_BUSY, -1, "read",
          IIMG_STEP_LOAD, 250000, NULL },
        { "a job that is gone", "running", 1, false, false, false, IIMG_NOT_FOUND, -1, "read",
          IIMG_STEP_END, 0, NULL },
        { "the last attempt", "running", 3, false, false, false, -1, -1, "read load begin prepare",
          IIMG_STEP_CALL, 0, NULL },
        { "one attempt too many", "running", 4, false, false, false, -1, -1, "read fail",
          IIMG_STEP_END, 0, "lost" },
        { "a canceled job", "running", 1, false, true, false, -1, -1, "read fail", IIMG_STEP_END, 0,
          "generation_canceled" },
        { "a canceled job on its last attempt", "running", 9, false, true, false, -1, -1,
          "read fail", IIMG_STEP_END, 0, "generation_canceled" },
        { "an answer of a dead process", "running", 9, true, true, false, -1, -1,
          "read begin finish end keep save", IIMG_STEP_END, 0, NULL },
        { "no photo store", "running", 1, false, false, false, -1, IIMG_UNAVAILABLE, "read load",
          IIMG_STEP_LOAD, 250000, NULL },
        { "no photos", "running", 1, false, false, false, -1, IIMG_INVALID, "read load fail",
          IIMG_STEP_END, 0, "kind" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_task_t *task = task_at(IIMG_STEP_LOAD);

        job.state = cases[i].state;
        job.attempts = cases[i].attempts;
        job.cancel_requested = cases[i].canceled;
        world.found = cases[i].found;
        world.read = cases[i].read < 0 ? NULL : error_of((iimg_error_kind_t)cases[i].read);
        world.load = cases[i].load < 0 ? NULL : error_of((iimg_error_kind_t)cases[i].load);
        iimg_task_advance(task);
        check(task, cases[i].calls, cases[i].step, cases[i].wait, cases[i].what);
        tap_is(world.failure_code, cases[i].code, "%s: the code of its failure", cases[i].what);
        tap_is(task->failure ? task->failure->billed : NULL,
               cases[i].code && strcmp(cases[i].code, "generation_canceled") == 0 ? "f" : NULL,
               "%s: only a canceled job is known as free", cases[i].what);
        iimg_task_destroy(task);
    }
}

static void test_lost(void)
{
    for (int attempts = 4; attempts >= 2; attempts -= 2) {
        iimg_task_t *task = task_at(IIMG_STEP_LOAD);

        config.generation_attempts = 1;
        job.attempts = attempts;
        iimg_task_advance(task);
        tap_ok(strstr(task->failure->message, attempts == 4 ? " 3 times" : " 1 time ") != NULL,
               "job begun %d times: its failure counts the earlier attempts", attempts);
        tap_is_number(world.failure_status, 500 + IIMG_UNAVAILABLE,
                      "lost job: the status of an unavailable service");
        iimg_task_destroy(task);
    }
}

/* The photos' store may be away for five minutes. */
static void test_patience(void)
{
    for (int late = 0; late < 2; late++) {
        iimg_task_t *task = task_at(IIMG_STEP_LOAD);

        world.load = error_of(IIMG_BUSY);
        task->began = task_clock - apr_time_from_sec(300) + !late;
        iimg_task_advance(task);
        check(task, late ? "read load fail" : "read load", late ? IIMG_STEP_END : IIMG_STEP_LOAD,
              late ? 0 : 250000, late ? "300 s without the store" : "1 us less");
        iimg_task_destroy(task);
    }
}

static void test_adopted(void)
{
    iimg_task_t *task = task_at(IIMG_STEP_LOAD);

    world.found = true;
    job.requested_model = "model";
    world.keep = error_of(IIMG_UNAVAILABLE);
    close(
        open(apr_psprintf(context->pool, "%s/%s.reply", dir, task->id), O_CREAT | O_WRONLY, 0600));
    iimg_task_advance(task);
    check(task, "read begin finish end keep", IIMG_STEP_STORE, 250000,
          "adopted answer, store away: not flushed");
    tap_ok(task->adopted && task->response->outcome == IIMG_HTTP_OK
               && task->response->status == 200,
           "adopted answer: read as a whole response");
    tap_is(task->run.ask.model, "model", "adopted answer: the job's model");
    tap_is(task->run.ask.resolution, "1K", "adopted answer: the job's resolution");
    tap_is(task->run.ask.aspect_ratio, "16:9", "adopted answer: the job's ratio");
    tap_is_number(task->run.ask.width, 1376, "adopted answer: the ratio's width");
    tap_is_number(task->run.ask.height, 768, "adopted answer: the ratio's height");
    world.keep = NULL;
    iimg_task_advance(task);
    tap_ok(access(task->run.spool, F_OK) != 0, "adopted answer: removed once it is stored");
    iimg_task_destroy(task);

    task = task_at(IIMG_STEP_LOAD);
    world.found = true;
    world.finish = error_of(IIMG_UPSTREAM);
    world.retries = true;
    iimg_task_advance(task);
    check(task, "read begin finish end fail", IIMG_STEP_END, 0,
          "adopted answer without a picture: no other call");
    iimg_task_destroy(task);

    task = task_at(IIMG_STEP_LOAD);
    world.found = true;
    services.generator = &at_once;
    iimg_task_advance(task);
    check(task, "read load generate keep save", IIMG_STEP_END, 0,
          "a generator without steps: answers in the spool are not its own");
    iimg_task_destroy(task);
}

/* Retries -------------------------------------------------------------------------------------- */

static void test_pauses(void)
{
    static const apr_interval_time_t pauses[] = { 250000,  500000,  1000000, 2000000, 4000000,
                                                  5000000, 5000000, 5000000, 5000000 };
    iimg_task_t *task = task_at(IIMG_STEP_STORE);

    world.keep = error_of(IIMG_UNAVAILABLE);
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        iimg_task_advance(task);
        tap_is_number(task->due - task_clock, pauses[i], "pause %zu of a step", i + 1);
        tap_ok(task->stuck == (i == 7), "try %zu: stuck at the eighth alone", i + 1);
    }
    world.keep = NULL;
    iimg_task_advance(task);
    tap_is_number(task->tries, 0, "a step that succeeds: the next one counts anew");
    iimg_task_destroy(task);
}

static void test_save(void)
{
    iimg_task_t *task = task_at(IIMG_STEP_SAVE);

    world.save = error_of(IIMG_UNAVAILABLE);
    for (int i = 0; i < 5; i++) {
        iimg_task_advance(task);
    }
    check(task, "save save save save save", IIMG_STEP_SAVE, 4000000, "five tries to save");
    iimg_task_advance(task);
    tap_is_number(task->step, IIMG_STEP_END, "a sixth try to save: the last one");
    tap_ok(world.warning && strstr(world.warning, "reason") != NULL,
           "a picture that cannot be saved: a warning with the reason");
    tap_ok(work_logged(context, "IIMG0116") != NULL
               && work_logged(context, "IIMG0116")->level == IIMG_LOG_WARNING,
           "a picture that the server cannot save: a warning in the log");
    iimg_task_destroy(task);

    task = task_at(IIMG_STEP_SAVE);
    task->last_try = true;
    world.save = error_of(IIMG_BUSY);
    iimg_task_advance(task);
    check(task, "save warn", IIMG_STEP_END, 0, "saving at the last chance: one try");
    iimg_task_destroy(task);

    task = task_at(IIMG_STEP_SAVE);
    world.save = error_of(IIMG_NOT_FOUND);
    iimg_task_advance(task);
    check(task, "save warn", IIMG_STEP_END, 0, "no identity to save to: one try");
    tap_ok(work_logged(context, "IIMG0116")->level == IIMG_LOG_INFO,
           "no identity to save to: an information in the log");
    iimg_task_destroy(task);
}

/* The provider --------------------------------------------------------------------------------- */

static void answer(iimg_task_t *task, iimg_http_outcome_t outcome, int status)
{
    apr_pool_create(&task->call_pool, task->pool);
    task->response = apr_pcalloc(task->call_pool, sizeof(*task->response));
    task->response->outcome = outcome;
    task->response->status = status;
    task->response->spool = (iimg_spool_t *)&world;
}

static void test_answers(void)
{
    static const struct {
        const char *what;
        iimg_http_outcome_t outcome;
        int status, keep_error;
        const char *calls;
        bool logged;
    } cases[] = {
        { "an answer", IIMG_HTTP_OK, 200, 0, "spool finish end keep save", false },
        { "an answer that cannot be spooled", IIMG_HTTP_OK, 200, ENOSPC,
          "spool finish end keep save", true },
        { "a 500", IIMG_HTTP_OK, 500, 0, "finish end keep save", false },
        { "a broken answer", IIMG_HTTP_BROKEN, 200, 0, "finish end keep save", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_task_t *task = task_at(IIMG_STEP_READ_REPLY);

        answer(task, cases[i].outcome, cases[i].status);
        world.keep_error = cases[i].keep_error;
        iimg_task_advance(task);
        check(task, cases[i].calls, IIMG_STEP_END, 0, cases[i].what);
        tap_ok((work_logged(context, "IIMG0113") != NULL) == cases[i].logged,
               "%s: a warning only without a spool", cases[i].what);
        tap_ok(access(task->run.spool, F_OK) != 0, "%s: nothing stays in the spool", cases[i].what);
        iimg_task_destroy(task);
    }
}

static void test_bad_answers(void)
{
    for (int retries = 0; retries < 2; retries++) {
        iimg_task_t *task = task_at(IIMG_STEP_READ_REPLY);

        answer(task, IIMG_HTTP_OK, 200);
        world.finish = error_of(IIMG_UPSTREAM);
        world.retries = retries;
        iimg_task_advance(task);
        check(task, retries ? "spool finish again" : "spool finish again end fail",
              retries ? IIMG_STEP_PREPARE : IIMG_STEP_END, retries ? 7 : 0,
              retries ? "a retry" : "no retry");
        tap_ok(access(task->run.spool, F_OK) != 0, "a bad answer is not left in the spool");
        tap_ok(!task->call_pool && !task->response, "a bad answer's memory is freed");
        tap_ok(retries || work_logged(context, "IIMG0117")->level == IIMG_LOG_WARNING,
               "a provider's nonsense: a warning in the log");
        iimg_task_destroy(task);
    }
}

/* The answer under this name is another process' when this one has neither written nor adopted it.
 */
static void test_foreign_answer(void)
{
    iimg_task_t *task = task_at(IIMG_STEP_STORE);

    close(open(task->run.spool, O_CREAT | O_WRONLY, 0600));
    iimg_task_advance(task);
    tap_ok(access(task->run.spool, F_OK) == 0, "an answer of another process stays in the spool");
    unlink(task->run.spool);
    iimg_task_destroy(task);
}

static void test_prepare(void)
{
    for (int retries = 0; retries < 2; retries++) {
        iimg_task_t *task = task_at(IIMG_STEP_PREPARE);

        world.prepare = error_of(IIMG_UNAVAILABLE);
        world.retries = retries;
        iimg_task_advance(task);
        check(task, retries ? "prepare again" : "prepare again end fail",
              retries ? IIMG_STEP_PREPARE : IIMG_STEP_END, retries ? 7 : 0,
              retries ? "a call that cannot be made yet" : "a call that cannot be made");
        tap_ok(task->call_pool == NULL, "a call that was not made: its memory is freed");
        iimg_task_destroy(task);
    }
}

static void test_cancel(void)
{
    static const struct {
        iimg_step_t step;
        bool read, may;
    } cases[] = {
        { IIMG_STEP_LOAD, false, false },      { IIMG_STEP_LOAD, true, true },
        { IIMG_STEP_PREPARE, true, true },     { IIMG_STEP_CALL, true, false },
        { IIMG_STEP_READ_REPLY, true, false }, { IIMG_STEP_STORE, true, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_task_t *task = task_at(cases[i].step);

        task->run.job = cases[i].read ? &job : NULL;
        task->due = 5;
        tap_ok(iimg_task_cancel(task) == cases[i].may, "canceling at step %d, job %s: %s",
               cases[i].step, cases[i].read ? "read" : "not read", cases[i].may ? "ends" : "not");
        tap_ok(task->canceled, "canceling at step %d is noted", cases[i].step);
        tap_ok((task->step == IIMG_STEP_FAIL) == cases[i].may && (task->due == 0) == cases[i].may,
               "canceling at step %d: the end comes at once, or not", cases[i].step);
        iimg_task_destroy(task);
    }

    {
        iimg_task_t *task = task_at(IIMG_STEP_READ_REPLY);

        answer(task, IIMG_HTTP_OK, 200);
        task->canceled = true;
        world.finish = error_of(IIMG_UPSTREAM);
        world.retries = true;
        iimg_task_advance(task);
        check(task, "spool finish end fail", IIMG_STEP_END, 0, "a canceled job: no other call");
        iimg_task_destroy(task);

        task = task_at(IIMG_STEP_PREPARE);
        task->canceled = true;
        iimg_task_advance(task);
        check(task, "fail", IIMG_STEP_END, 0, "a canceled job: no call");
        iimg_task_destroy(task);
    }
}

/* Ends ----------------------------------------------------------------------------------------- */

static void test_keep(void)
{
    static const struct {
        const char *what;
        int kind;
        const char *code;
        bool last_try, spooled;
        const char *calls;
        iimg_step_t step;
        const char *logged;
        bool stays;
    } cases[] = {
        { "a picture", -1, NULL, false, true, "keep save", IIMG_STEP_END, NULL, false },
        { "no store", IIMG_UNAVAILABLE, NULL, false, true, "keep flush", IIMG_STEP_STORE,
          "IIMG0112", true },
        { "no store at the last chance", IIMG_UNAVAILABLE, NULL, true, true, "keep flush",
          IIMG_STEP_END, "IIMG0112", true },
        { "no picture", IIMG_UPSTREAM, NULL, false, true, "keep fail", IIMG_STEP_END, "IIMG0117",
          false },
        { "a job that has ended", IIMG_CONFLICT, NULL, false, true, "keep", IIMG_STEP_END,
          "IIMG0114", false },
        { "another conflict", IIMG_CONFLICT, "other", false, true, "keep fail", IIMG_STEP_END,
          "generation", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_task_t *task = task_at(IIMG_STEP_STORE);

        answer(task, IIMG_HTTP_OK, 200);
        close(open(task->run.spool, O_CREAT | O_WRONLY, 0600));
        task->spooled = cases[i].spooled;
        task->last_try = cases[i].last_try;
        world.keep = cases[i].kind < 0 ? NULL : error_of((iimg_error_kind_t)cases[i].kind);
        if (world.keep) {
            world.keep->code = cases[i].code;
        }
        iimg_task_advance(task);
        check(task, cases[i].calls, cases[i].step, cases[i].step == IIMG_STEP_STORE ? 250000 : 0,
              cases[i].what);
        tap_ok((access(task->run.spool, F_OK) == 0) == cases[i].stays, "%s: the answer %s",
               cases[i].what, cases[i].stays ? "stays" : "is removed");
        tap_ok(!cases[i].logged || work_logged(context, cases[i].logged), "%s: logged",
               cases[i].what);
        if (cases[i].step == IIMG_STEP_STORE) {
            work_log_clear(context);
            iimg_task_advance(task);
            tap_is(world.calls, "keep flush keep", "%s: flushed once", cases[i].what);
            tap_ok(!work_logged(context, "IIMG0112"), "%s: logged once", cases[i].what);
        }
        unlink(task->run.spool);
        iimg_task_destroy(task);
    }
}

static void test_fail(void)
{
    static const struct {
        const char *what;
        int kind;
        bool last_try, logged, stays;
        iimg_step_t step;
    } cases[] = {
        { "a failure", -1, false, false, false, IIMG_STEP_END },
        { "a failure without a database", IIMG_UNAVAILABLE, false, false, true, IIMG_STEP_FAIL },
        { "a failure at the last chance", IIMG_UNAVAILABLE, true, false, true, IIMG_STEP_END },
        { "a failure that cannot be told", IIMG_INTERNAL, false, true, true, IIMG_STEP_END },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_task_t *task = task_at(IIMG_STEP_FAIL);

        close(open(task->run.spool, O_CREAT | O_WRONLY, 0600));
        task->spooled = true;
        task->failure = error_of(IIMG_UPSTREAM);
        task->last_try = cases[i].last_try;
        world.fail = cases[i].kind < 0 ? NULL : error_of((iimg_error_kind_t)cases[i].kind);
        iimg_task_advance(task);
        check(task, "fail", cases[i].step, cases[i].step == IIMG_STEP_FAIL ? 250000 : 0,
              cases[i].what);
        tap_ok((work_logged(context, "IIMG0111") != NULL) == cases[i].logged, "%s: log",
               cases[i].what);
        tap_ok((access(task->run.spool, F_OK) == 0) == cases[i].stays, "%s: the answer %s",
               cases[i].what, cases[i].stays ? "stays" : "is removed");
        unlink(task->run.spool);
        iimg_task_destroy(task);
    }
}

/* Errors of the provider and the client are information, those of the server warnings. */
static void test_log_levels(void)
{
    for (int kind = IIMG_INVALID; kind < IIMG_HTTP; kind++) {
        bool theirs = kind == IIMG_REFUSED || kind == IIMG_LIMITED || kind == IIMG_INVALID
                      || kind == IIMG_CONFLICT || kind == IIMG_NOT_FOUND;
        iimg_task_t *task = task_at(IIMG_STEP_PREPARE);
        const work_line_t *line;

        services.generator = &at_once;
        world.finish = error_of((iimg_error_kind_t)kind);
        iimg_error_detail(world.finish, "the detail");
        iimg_task_advance(task);
        line = work_logged(context, "the detail");
        tap_ok(line && line->level == (theirs ? IIMG_LOG_INFO : IIMG_LOG_WARNING)
                   && (strstr(line->text, "IIMG0117") != NULL) == !theirs,
               "failure of kind %d: %s", kind, theirs ? "information" : "warning");
        check(task, "generate fail", IIMG_STEP_END, 0, "a generator without steps fails");
        iimg_task_destroy(task);
    }
}

int main(void)
{
    context = work_begin();
    context->services = &services;
    if (!tap_ok(mkdtemp(dir) != NULL, "a folder for the spool is made")) {
        return tap_done();
    }
    test_begin();
    test_lost();
    test_patience();
    test_adopted();
    test_pauses();
    test_save();
    test_answers();
    test_bad_answers();
    test_foreign_answer();
    test_prepare();
    test_cancel();
    test_keep();
    test_fail();
    test_log_levels();
    rmdir(dir);
    work_end(context);
    return tap_done();
}
