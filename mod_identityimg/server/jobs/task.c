/* task.c - the steps of one job, and what is done when one of them fails. */
#include "server/jobs/task.h"

#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/spool.h"
#include "server/config/config.h"
#include "server/http/request.h"
#include "server/http/response.h"

#define KEPT_FREE      (64 * 1024)            /* bytes that a task's allocator holds on to */
#define LONGEST_PAUSE  apr_time_from_sec(5)   /* between two tries at a backend that is away */
#define BEGIN_PATIENCE apr_time_from_sec(300) /* with a store that has the photos */
#define STUCK_TRIES    8                      /* some eighteen seconds, and what the tries took */
#define SAVE_TRIES     5

iimg_task_t *iimg_task_create(server_rec *server, const char *job_id)
{
    apr_pool_t *pool = iimg_pool_create(NULL, KEPT_FREE, "generation");
    iimg_task_t *task;

    if (!pool) {
        return NULL;
    }
    task = apr_pcalloc(pool, sizeof(*task));
    task->pool = pool;
    task->server = server;
    apr_cpystrn(task->id, job_id, sizeof(task->id));
    task->context = iimg_context_create(pool, server, task->id);
    task->began = apr_time_now();
    return task;
}

void iimg_task_destroy(iimg_task_t *task)
{
    apr_pool_destroy(task->pool);
}

/* Errors --------------------------------------------------------------------------------------- */

static bool is_away(const iimg_error_t *err)
{
    return err->kind == IIMG_UNAVAILABLE || err->kind == IIMG_BUSY;
}

static const char *words_of(const iimg_error_t *err)
{
    return err->detail ? err->detail : err->message;
}

/* The same step again, a little later each time. */
static void try_later(iimg_task_t *task, const iimg_error_t *err)
{
    apr_interval_time_t pause = APR_USEC_PER_SEC / 4;

    for (int i = 0; i < task->tries && pause < LONGEST_PAUSE; i++) {
        pause *= 2;
    }
    task->tries++;
    task->stuck = task->tries == STUCK_TRIES;
    task->due = apr_time_now() + (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
    iimg_log(task->context, IIMG_LOG_DEBUG, "generation %s waits: %s", task->id, words_of(err));
}

static void go_on(iimg_task_t *task, iimg_step_t step)
{
    task->step = step;
    task->tries = 0;
}

/* Answers that are the provider's doing or the client's are no reason to look at the server. */
static bool is_theirs(const iimg_error_t *err)
{
    return err->kind == IIMG_REFUSED || err->kind == IIMG_LIMITED || err->kind == IIMG_INVALID
           || err->kind == IIMG_CONFLICT || err->kind == IIMG_NOT_FOUND;
}

static void log_failure(iimg_task_t *task, const iimg_error_t *err)
{
    if (is_theirs(err)) {
        iimg_log(task->context, IIMG_LOG_INFO, "generation %s: %s", task->id, words_of(err));
    }
    else {
        iimg_log(task->context, IIMG_LOG_WARNING, "IIMG0117: generation %s failed: %s", task->id,
                 words_of(err));
    }
}

static void fail(iimg_task_t *task, iimg_error_t *err)
{
    log_failure(task, err);
    err->code = iimg_respond_code(err); /* its own, or its kind's */
    task->failure = err;
    go_on(task, IIMG_STEP_FAIL);
}

/* A call's memory, tens of megabytes of it, ends with the call. */
static void end_call(iimg_task_t *task)
{
    if (task->call_pool) {
        apr_pool_destroy(task->call_pool);
    }
    task->call_pool = NULL;
    task->response = NULL;
}

/* The beginning -------------------------------------------------------------------------------- */

static const iimg_generator_t *generator_of(const iimg_task_t *task)
{
    return task->context->services->generator;
}

/* The answer that a process received which died over it. */
static iimg_http_response_t *find_answer(iimg_task_t *task)
{
    iimg_http_response_t *response;
    iimg_spool_t *spool;
    int error = 0;

    if (!generator_of(task)->steps) {
        return NULL;
    }
    spool = iimg_spool_open(task->pool, task->run.spool, &error);
    if (!spool) {
        return NULL;
    }
    iimg_log(task->context, IIMG_LOG_INFO,
             "generation %s: the answer that another process had "
             "received is used",
             task->id);
    response = apr_pcalloc(task->pool, sizeof(*response));
    response->outcome = IIMG_HTTP_OK;
    response->problem = "";
    response->status = HTTP_OK;
    response->headers = apr_table_make(task->pool, 1);
    response->spool = spool;
    response->body = "";
    return response;
}

static void begin_generator(iimg_task_t *task)
{
    const iimg_services_t *services = task->context->services;

    if (generator_of(task)->steps) {
        task->it = generator_of(task)->steps->begin(task->context, &services->generator_settings,
                                                    &task->run.ask, apr_time_now());
    }
}

/* Begun so often by processes that died: it might be what kills them. */
static iimg_error_t *is_lost(iimg_task_t *task)
{
    iimg_error_t *err = iimg_error(task->pool, IIMG_UNAVAILABLE,
                                   "The server stopped before the picture was there, and had begun "
                                   "it %d time%s. Ask for it again.",
                                   task->run.job->attempts - 1,
                                   task->run.job->attempts == 2 ? "" : "s");

    return iimg_error_code(err, "lost");
}

static void load(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_load(task->context, &task->run);

    if (err && is_away(err) && apr_time_now() - task->began < BEGIN_PATIENCE) {
        try_later(task, err);
        return;
    }
    if (err) {
        fail(task, err);
        return;
    }
    begin_generator(task);
    go_on(task, IIMG_STEP_ASK);
}

static void begin(iimg_task_t *task)
{
    const iimg_config_t *config = iimg_config_of(task->server);
    const iimg_generator_settings_t *settings = &task->context->services->generator_settings;
    iimg_error_t *err = iimg_generation_run_read(task->context, task->id, &task->run);

    if (err) {
        if (is_away(err)) {
            try_later(task, err);
        }
        else {
            go_on(task, IIMG_STEP_END);
        }
        return;
    }
    if (strcmp(task->run.job->state, "running") != 0) {
        go_on(task, IIMG_STEP_END);
        return;
    }
    task->run.spool = apr_psprintf(task->pool, "%s/%s.reply", settings->spool_dir, task->id);
    task->response = find_answer(task);
    if (task->response) {
        task->adopted = true;
        task->run.ask.model = task->run.job->requested_model;
        task->run.ask.resolution = task->run.job->resolution;
        task->run.ask.aspect_ratio = task->run.job->aspect_ratio;
        (void)iimg_generator_size(task->run.ask.aspect_ratio, task->run.ask.resolution,
                                  &task->run.ask.width, &task->run.ask.height);
        begin_generator(task);
        go_on(task, IIMG_STEP_ANSWER);
    }
    else if (task->run.job->cancel_requested) {
        (void)iimg_task_cancel(task);
    }
    else if (task->run.job->attempts > config->generation_attempts) {
        fail(task, is_lost(task));
    }
    else {
        load(task);
    }
}

/* The provider --------------------------------------------------------------------------------- */

static void make_at_once(iimg_task_t *task)
{
    const iimg_services_t *services = task->context->services;
    apr_time_t began = iimg_step_begin(task->context);
    iimg_error_t *err = generator_of(task)->generate(task->context, &services->generator_settings,
                                                     &task->run.ask, &task->run.result);

    iimg_step_end(task->context, began, "provider", generator_of(task)->name);
    (void)IIMG_FAULT("generate.made");
    if (err) {
        fail(task, err);
        return;
    }
    go_on(task, IIMG_STEP_KEEP);
}

/* After a call that failed, or could not be made. */
static void again_or_fail(iimg_task_t *task, iimg_error_t *err)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    apr_interval_time_t wait = 0;

    if (!task->canceled && !task->adopted
        && steps->again(task->context, task->it, err, apr_time_now(), &wait)) {
        go_on(task, IIMG_STEP_ASK);
        task->due = apr_time_now() + wait;
        return;
    }
    steps->end(task->context, task->it, &task->run.result);
    fail(task, err);
}

static void ask(iimg_task_t *task)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    iimg_error_t *err;

    if (!steps) {
        make_at_once(task);
        return;
    }
    apr_pool_create(&task->call_pool, task->pool);
    apr_pool_tag(task->call_pool, "call");
    err = steps->prepare(task->context, task->call_pool, task->it, apr_time_now(), &task->http);
    if (err) {
        end_call(task);
        again_or_fail(task, err);
        return;
    }
    go_on(task, IIMG_STEP_CALL);
}

/* An answer under this name that this task has neither written nor adopted belongs to the process
 * that owns the job by now. */
static void remove_answer(iimg_task_t *task)
{
    if (task->spooled || task->adopted) {
        unlink(task->run.spool);
    }
}

/* From here on this process may die: the answer is found by the next one. */
static void keep_answer(iimg_task_t *task)
{
    int error;

    if (task->adopted || task->response->outcome != IIMG_HTTP_OK || !task->response->spool
        || task->response->status != HTTP_OK) {
        return;
    }
    error = iimg_spool_keep(task->call_pool, task->response->spool, task->run.spool);
    task->spooled = error == 0;
    if (error) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0113: the answer for generation %s is held in "
                 "this process alone: %s: %s",
                 task->id, task->run.spool, strerror(error));
    }
}

static void read_answer(iimg_task_t *task)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    iimg_error_t *err;

    if (!task->adopted && iimg_step_begin(task->context)) {
        iimg_step_end(task->context, apr_time_now() - task->response->took, "provider",
                      generator_of(task)->name);
    }
    keep_answer(task);
    (void)IIMG_FAULT("generate.answered");
    err = steps->finish(task->context, task->it, task->response, apr_time_now(), &task->run.result);
    (void)IIMG_FAULT("generate.made");
    if (err) {
        remove_answer(task); /* no later task needs it */
        end_call(task);
        again_or_fail(task, err);
        return;
    }
    steps->end(task->context, task->it, &task->run.result);
    go_on(task, IIMG_STEP_KEEP);
}

/* The end ------------------------------------------------------------------------------------- */

/* A picture that was paid for waits as long as it must for the store and the database; if it has
 * to, on the disk, where it outlives the machine's next start. */
static void keep_later(iimg_task_t *task, const iimg_error_t *err)
{
    if (!task->flushed && task->response && task->response->spool && !task->adopted) {
        (void)iimg_spool_flush(task->response->spool);
        task->flushed = true;
    }
    if (task->tries == 0) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0112: the picture of generation %s is there, "
                 "but has to wait: %s",
                 task->id, words_of(err));
    }
    if (task->last_chance) {
        go_on(task, IIMG_STEP_END);
        return;
    }
    try_later(task, err);
}

static void keep(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_keep(task->context, &task->run);
    bool ended = err && err->kind == IIMG_CONFLICT && !err->code;

    (void)IIMG_FAULT("generate.kept");
    if (err && is_away(err)) {
        keep_later(task, err);
        return;
    }
    if (err && !ended) {
        fail(task, err);
        return;
    }
    if (ended) {
        iimg_log(task->context, IIMG_LOG_WARNING, "IIMG0114: generation %s: %s", task->id,
                 err->message);
    }
    remove_answer(task);
    go_on(task, err ? IIMG_STEP_END : IIMG_STEP_SAVE);
}

static void end_in_failure(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_fail(task->context, &task->run, task->failure,
                                                 iimg_respond_status(task->failure));

    if (err && is_away(err) && !task->last_chance) {
        try_later(task, err);
        return;
    }
    if (err && !is_away(err)) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0111: generation %s failed, and its row could "
                 "not be told: %s",
                 task->id, words_of(err));
    }
    if (!err) {
        remove_answer(task);
    }
    go_on(task, IIMG_STEP_END);
}

static void save(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_save(task->context, &task->run);

    if (err && is_away(err) && task->tries < SAVE_TRIES && !task->last_chance) {
        try_later(task, err);
        return;
    }
    if (err) {
        const char *warning = apr_pstrcat(task->pool,
                                          "The picture could not be saved to the "
                                          "identity: ",
                                          err->message, NULL);

        iimg_log(task->context, is_theirs(err) ? IIMG_LOG_INFO : IIMG_LOG_WARNING,
                 "IIMG0116: generation %s: %s (%s)", task->id, warning, words_of(err));
        (void)iimg_generation_job_warn(task->context, task->id, warning);
    }
    go_on(task, IIMG_STEP_END);
}

/* All --------------------------------------------------------------------------------------------
 */

static void (*const steps[])(iimg_task_t *task) = {
    [IIMG_STEP_BEGIN] = begin,         [IIMG_STEP_ASK] = ask,
    [IIMG_STEP_ANSWER] = read_answer,  [IIMG_STEP_KEEP] = keep,
    [IIMG_STEP_FAIL] = end_in_failure, [IIMG_STEP_SAVE] = save,
};

void iimg_task_advance(iimg_task_t *task)
{
    task->due = 0;
    while (!task->due && task->step != IIMG_STEP_CALL && task->step != IIMG_STEP_END) {
        if (task->step == IIMG_STEP_ASK && task->canceled) {
            iimg_task_cancel(task);
        }
        steps[task->step](task);
    }
}

bool iimg_task_cancel(iimg_task_t *task)
{
    iimg_error_t *err;

    task->canceled = true;
    if (task->step > IIMG_STEP_ASK || !task->run.job) {
        return false;
    }
    err = iimg_error_code(iimg_error(task->pool, IIMG_CONFLICT,
                                     "The generation was canceled before "
                                     "the provider was asked."),
                          "generation_canceled");
    err->billed = "f";
    task->failure = err;
    go_on(task, IIMG_STEP_FAIL);
    task->due = 0;
    return true;
}
