/* task.h - one job that this process runs: its steps, each in one thread at a time. */
#ifndef IIMG_SERVER_JOBS_TASK_H
#define IIMG_SERVER_JOBS_TASK_H

#include <httpd.h>
#include <apr_ring.h>
#include "base/http/loop.h"
#include "functions/admin/generation_run.h"

/** The next step. */
typedef enum {
    IIMG_STEP_LOAD,       /* read the row, the prompt and the photos */
    IIMG_STEP_PREPARE,    /* build a call to the provider */
    IIMG_STEP_CALL,       /* send it: in the engine's thread, without blocking */
    IIMG_STEP_READ_REPLY, /* read the provider's reply */
    IIMG_STEP_STORE,      /* store the picture, end the row as succeeded */
    IIMG_STEP_FAIL,       /* end the row as failed */
    IIMG_STEP_SAVE,       /* save the picture to the identity */
    IIMG_STEP_END         /* nothing left: the engine destroys the task */
} iimg_step_t;

/** The engine's thread uses `link`, `id`, `step`, `due` and `delayed` while the task is its own. */
typedef struct iimg_task_t {
    APR_RING_ENTRY(iimg_task_t) link; /* in the engine's inbox */
    char id[37];                      /* the job's */
    server_rec *server;               /* its configuration applies */
    apr_pool_t *pool;                 /* with an allocator of its own: it moves between threads */
    iimg_context_t *context;
    iimg_step_t step;
    apr_time_t due; /* when the step may begin; 0: now */
    bool delayed;   /* in the engine's list, until `due` */
    bool canceled;  /* by a client */
    bool last_try;  /* the process ends: no further retry */

    iimg_generation_run_t run;
    void *generator_state; /* between the generator's steps */
    apr_pool_t *call_pool; /* of one call to the provider, or NULL */
    iimg_http_request_t http;
    iimg_http_response_t *response;
    iimg_http_call_t *call; /* in progress */
    iimg_error_t *failure;
    apr_time_t began;
    int tries;    /* of the current step, while a backend is unavailable */
    bool stuck;   /* requests should stop waiting for this job */
    bool flushed; /* the reply is on the disk and survives a power failure */
    bool adopted; /* the reply was found in the spool */
    bool spooled; /* this task gave the reply its name in the spool */
} iimg_task_t;

/** @return NULL: no memory */
iimg_task_t *iimg_task_create(server_rec *server, const char *job_id);

/** Destroy the task with its pool. */
void iimg_task_destroy(iimg_task_t *task);

/**
 * Run steps until the next one is for the engine's thread (CALL, END) or has to be delayed (due).
 * Blocks.
 */
void iimg_task_advance(iimg_task_t *task);

/** Cancel a delayed task. @return false: too late, the provider was called already */
bool iimg_task_cancel(iimg_task_t *task);

#endif
