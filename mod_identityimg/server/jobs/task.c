/* task.c - one job that this process runs: its steps, and what follows when one of them fails.
 *
 * Owns a task's pool and the decision which step comes next. The engine calls iimg_task_advance in
 * a thread of its pool, and the other functions in its own thread; a task is in one of them at a
 * time. Steps may block, except for iimg_task_cancel, which the engine's thread calls.
 *
 * A reply that the provider billed must not be lost: it gets its name in the spool before it is
 * read, and the name is removed once the row has the picture. STORE retries without a limit. */
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

#define MAX_FREE       (64 * 1024)            /* bytes that a task's allocator keeps */
#define FIRST_DELAY    (APR_USEC_PER_SEC / 4) /* before a retry; doubles each time */
#define MAX_DELAY      apr_time_from_sec(5)
#define LOAD_TIMEOUT   apr_time_from_sec(300) /* while the photos' store is unavailable */
#define STUCK_AFTER    8                      /* tries: some 18 seconds plus their own time */
#define MAX_SAVE_TRIES 5

iimg_task_t *iimg_task_create(server_rec *server, const char *job_id)
{
    apr_pool_t *pool = iimg_pool_create(NULL, MAX_FREE, "generation");
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

static bool is_unavailable(const iimg_error_t *err)
{
    return err->kind == IIMG_UNAVAILABLE || err->kind == IIMG_BUSY;
}

static const char *text_of(const iimg_error_t *err)
{
    return err->detail ? err->detail : err->message;
}

static void retry_later(iimg_task_t *task, const iimg_error_t *err)
{
    apr_interval_time_t delay = FIRST_DELAY;

    for (int i = 0; i < task->tries && delay < MAX_DELAY; i++) {
        delay *= 2;
    }
    task->tries++;
    task->stuck = task->tries == STUCK_AFTER;
    task->due = apr_time_now() + (delay < MAX_DELAY ? delay : MAX_DELAY);
    iimg_log(task->context, IIMG_LOG_DEBUG, "generation %s waits for a retry: %s", task->id,
             text_of(err));
}

static void set_step(iimg_task_t *task, iimg_step_t step)
{
    task->step = step;
    task->tries = 0;
}

/* The provider or the client caused it: nothing that an operator has to fix. */
static bool is_external(const iimg_error_t *err)
{
    return err->kind == IIMG_REFUSED || err->kind == IIMG_LIMITED || err->kind == IIMG_INVALID
           || err->kind == IIMG_CONFLICT || err->kind == IIMG_NOT_FOUND;
}

static void log_failure(iimg_task_t *task, const iimg_error_t *err)
{
    if (is_external(err)) {
        iimg_log(task->context, IIMG_LOG_INFO, "generation failed: %s: %s", task->id, text_of(err));
    }
    else {
        iimg_log(task->context, IIMG_LOG_WARNING, "IIMG0117: generation failed: %s: %s", task->id,
                 text_of(err));
    }
}

static void fail(iimg_task_t *task, iimg_error_t *err)
{
    log_failure(task, err);
    err->code = iimg_respond_code(err);
    task->failure = err;
    set_step(task, IIMG_STEP_FAIL);
}

/* Frees tens of megabytes. */
static void end_call(iimg_task_t *task)
{
    if (task->call_pool) {
        apr_pool_destroy(task->call_pool);
    }
    task->call_pool = NULL;
    task->response = NULL;
}

/* Load ---------------------------------------------------------------------------------------- */

static const iimg_generator_t *generator_of(const iimg_task_t *task)
{
    return task->context->services->generator;
}

/* The reply that a process had received before it died. */
static iimg_http_response_t *find_reply(iimg_task_t *task)
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
             "generation %s continues with a reply found in the spool", task->id);
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
        task->generator_state = generator_of(task)->steps->begin(
            task->context, &services->generator_settings, &task->run.ask, apr_time_now());
    }
}

/* Each earlier attempt ended with its process: this job may be the cause. */
static iimg_error_t *too_many_attempts(iimg_task_t *task)
{
    int stops = task->run.job->attempts - 1;

    return iimg_error_with_code(task->pool, IIMG_UNAVAILABLE, "lost",
                                "The server stopped %d time%s before the picture was finished. "
                                "Request it again.",
                                stops, stops == 1 ? "" : "s");
}

static void load_inputs(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_load(task->context, &task->run);

    if (err && is_unavailable(err) && apr_time_now() - task->began < LOAD_TIMEOUT) {
        retry_later(task, err);
        return;
    }
    if (err) {
        fail(task, err);
        return;
    }
    begin_generator(task);
    set_step(task, IIMG_STEP_PREPARE);
}

/* Reads the row. @return false: the task has its next step already */
static bool read_row(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_read(task->context, task->id, &task->run);

    if (err && is_unavailable(err)) {
        retry_later(task, err);
        return false;
    }
    if (err || strcmp(task->run.job->state, "running") != 0) {
        set_step(task, IIMG_STEP_END);
        return false;
    }
    return true;
}

static void adopt_reply(iimg_task_t *task)
{
    iimg_generator_request_t *ask = &task->run.ask;

    task->adopted = true;
    ask->model = task->run.job->requested_model;
    ask->resolution = task->run.job->resolution;
    ask->aspect_ratio = task->run.job->aspect_ratio;
    (void)iimg_generator_size(ask->aspect_ratio, ask->resolution, &ask->width, &ask->height);
    begin_generator(task);
    set_step(task, IIMG_STEP_READ_REPLY);
}

static void load(iimg_task_t *task)
{
    const iimg_generator_settings_t *settings = &task->context->services->generator_settings;

    if (!read_row(task)) {
        return;
    }
    task->run.spool = apr_psprintf(task->pool, "%s/%s.reply", settings->spool_dir, task->id);
    task->response = find_reply(task);
    if (task->response) {
        adopt_reply(task);
    }
    else if (task->run.job->cancel_requested) {
        (void)iimg_task_cancel(task);
    }
    else if (task->run.job->attempts > iimg_config_of(task->server)->generation_attempts) {
        fail(task, too_many_attempts(task));
    }
    else {
        load_inputs(task);
    }
}

/* Call ---------------------------------------------------------------------------------------- */

/* For generators without steps: they need no call. */
static void generate_picture(iimg_task_t *task)
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
    set_step(task, IIMG_STEP_STORE);
}

/* The call failed, or could not be prepared. */
static void retry_or_fail(iimg_task_t *task, iimg_error_t *err)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    apr_interval_time_t delay = 0;

    if (!task->canceled && !task->adopted
        && steps->again(task->context, task->generator_state, err, apr_time_now(), &delay)) {
        set_step(task, IIMG_STEP_PREPARE);
        task->due = apr_time_now() + delay;
        return;
    }
    steps->end(task->context, task->generator_state, &task->run.result);
    fail(task, err);
}

static void prepare(iimg_task_t *task)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    iimg_error_t *err;

    if (!steps) {
        generate_picture(task);
        return;
    }
    apr_pool_create(&task->call_pool, task->pool);
    apr_pool_tag(task->call_pool, "call");
    err = steps->prepare(task->context, task->call_pool, task->generator_state, apr_time_now(),
                         &task->http);
    if (err) {
        end_call(task);
        retry_or_fail(task, err);
        return;
    }
    set_step(task, IIMG_STEP_CALL);
}

/* A reply that this task has neither named nor adopted belongs to the job's new owner. */
static void remove_reply(iimg_task_t *task)
{
    if (task->spooled || task->adopted) {
        unlink(task->run.spool);
    }
}

/* From here on this process may die: the job's next owner finds the reply. */
static void name_reply(iimg_task_t *task)
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
                 "IIMG0113: cannot write a reply to the spool: %s: %s; it is lost if this process "
                 "ends now: check the free space and permissions of IdentityImgSpoolDir",
                 task->run.spool, strerror(error));
    }
}

static void read_reply(iimg_task_t *task)
{
    const iimg_generator_steps_t *steps = generator_of(task)->steps;
    iimg_error_t *err;

    if (!task->adopted && iimg_step_begin(task->context)) {
        iimg_step_end(task->context, apr_time_now() - task->response->took, "provider",
                      generator_of(task)->name);
    }
    name_reply(task);
    (void)IIMG_FAULT("generate.answered");
    err = steps->finish(task->context, task->generator_state, task->response, apr_time_now(),
                        &task->run.result);
    (void)IIMG_FAULT("generate.made");
    if (err) {
        remove_reply(task);
        end_call(task);
        retry_or_fail(task, err);
        return;
    }
    steps->end(task->context, task->generator_state, &task->run.result);
    set_step(task, IIMG_STEP_STORE);
}

/* End ----------------------------------------------------------------------------------------- */

/* Waits without a limit for the store and the database; flushed, the reply survives a crash of
 * the machine if the spool is on a disk. */
static void store_later(iimg_task_t *task, const iimg_error_t *err)
{
    if (!task->flushed && task->response && task->response->spool && !task->adopted) {
        (void)iimg_spool_flush(task->response->spool);
        task->flushed = true;
    }
    if (task->tries == 0) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0112: cannot store a generated picture yet: generation %s: %s; it is retried "
                 "until it succeeds: check the store, the database and identityimg-worker",
                 task->id, text_of(err));
    }
    if (task->last_try) {
        set_step(task, IIMG_STEP_END);
        return;
    }
    retry_later(task, err);
}

static void store(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_store(task->context, &task->run);
    bool ended = err && err->kind == IIMG_CONFLICT && !err->code;

    (void)IIMG_FAULT("generate.kept");
    if (err && is_unavailable(err)) {
        store_later(task, err);
        return;
    }
    if (err && !ended) {
        fail(task, err);
        return;
    }
    if (ended) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0114: a generated picture was dropped: generation %s: %s", task->id,
                 err->message);
    }
    remove_reply(task);
    set_step(task, ended ? IIMG_STEP_END : IIMG_STEP_SAVE);
}

static void record_failure(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_fail(task->context, &task->run, task->failure,
                                                 iimg_respond_status(task->failure));

    if (err && is_unavailable(err) && !task->last_try) {
        retry_later(task, err);
        return;
    }
    if (err && !is_unavailable(err)) {
        iimg_log(task->context, IIMG_LOG_WARNING,
                 "IIMG0111: cannot record that a generation failed: generation %s: %s; its lease "
                 "expires, and another process runs it",
                 task->id, text_of(err));
    }
    if (!err) {
        remove_reply(task);
    }
    set_step(task, IIMG_STEP_END);
}

static void save(iimg_task_t *task)
{
    iimg_error_t *err = iimg_generation_run_save(task->context, &task->run);

    if (err && is_unavailable(err) && task->tries < MAX_SAVE_TRIES && !task->last_try) {
        retry_later(task, err);
        return;
    }
    if (err) {
        const char *warning = apr_pstrcat(
            task->pool, "The picture could not be saved to the identity: ", err->message, NULL);

        iimg_log(task->context, is_external(err) ? IIMG_LOG_INFO : IIMG_LOG_WARNING,
                 "IIMG0116: cannot save a generated picture to its identity: generation %s: %s; "
                 "the picture stays with the generation",
                 task->id, text_of(err));
        (void)iimg_generation_job_warn(task->context, task->id, warning);
    }
    set_step(task, IIMG_STEP_END);
}

/* Steps --------------------------------------------------------------------------------------- */

static void (*const steps[])(iimg_task_t *task) = {
    [IIMG_STEP_LOAD] = load,
    [IIMG_STEP_PREPARE] = prepare,
    [IIMG_STEP_READ_REPLY] = read_reply,
    [IIMG_STEP_STORE] = store,
    [IIMG_STEP_FAIL] = record_failure,
    [IIMG_STEP_SAVE] = save,
};

void iimg_task_advance(iimg_task_t *task)
{
    task->due = 0;
    while (!task->due && task->step != IIMG_STEP_CALL && task->step != IIMG_STEP_END) {
        if (task->step == IIMG_STEP_PREPARE && task->canceled) {
            iimg_task_cancel(task);
        }
        steps[task->step](task);
    }
}

bool iimg_task_cancel(iimg_task_t *task)
{
    task->canceled = true;
    if (task->step > IIMG_STEP_PREPARE || !task->run.job) {
        return false;
    }
    task->failure = iimg_error_with_code(task->pool, IIMG_CONFLICT, "generation_canceled",
                                         "The generation was canceled before it was sent to the "
                                         "provider.");
    task->failure->billed = "f";
    set_step(task, IIMG_STEP_FAIL);
    task->due = 0;
    return true;
}
