/* task.h - one job in the engine: its steps, each of them in some thread. For server/engine*.c. */
#ifndef IIMG_SERVER_JOBS_TASK_H
#define IIMG_SERVER_JOBS_TASK_H

#include <httpd.h>
#include <apr_ring.h>
#include "base/http/loop.h"
#include "functions/admin/generation_run.h"

/** What is to be done next. */
typedef enum {
    IIMG_STEP_BEGIN,  /* read the row, and what goes in */
    IIMG_STEP_ASK,    /* build a call to the provider */
    IIMG_STEP_CALL,   /* send it: in the engine's own thread, which does not wait for it */
    IIMG_STEP_ANSWER, /* read what came of it */
    IIMG_STEP_KEEP,   /* store the picture, end the row */
    IIMG_STEP_FAIL,   /* end the row with an error */
    IIMG_STEP_SAVE,   /* save the picture to the identity */
    IIMG_STEP_END     /* nothing: whoever waits is told, and the task is gone */
} iimg_step_t;

/** In one thread at a time; all but `link`, `key` and `step` are the step's own. */
typedef struct iimg_task_t {
    APR_RING_ENTRY(iimg_task_t) link; /* on its way to the engine's thread */
    char id[37];                      /* the job's */
    server_rec *server;               /* by whose configuration it is run */
    apr_pool_t *pool;                 /* with an allocator of its own */
    iimg_context_t *context;
    iimg_step_t step;
    apr_time_t due;   /* when the step may be begun; 0: now */
    bool waits;       /* for `due`, in the engine's list */
    bool canceled;    /* somebody asked for that */
    bool last_chance; /* the process is to end: what cannot be done now is left */

    iimg_generation_run_t run;
    void *it;              /* the generator's, between its steps */
    apr_pool_t *call_pool; /* what a call needs, or NULL */
    iimg_http_request_t http;
    iimg_http_response_t *response;
    iimg_http_call_t *call; /* while it is under way */
    iimg_error_t *failure;
    apr_time_t began; /* when the task was */
    int tries;        /* of a step that waits for a backend */
    bool stuck;       /* whoever waits should not do so any longer */
    bool flushed;     /* the provider's answer is safe from a power failure */
    bool adopted;     /* the answer was found, not received */
    bool spooled;     /* the answer has its name in the spool */
} iimg_task_t;

/** @return NULL when there is no memory */
iimg_task_t *iimg_task_create(server_rec *server, const char *job_id);

/** Its pool, and all that is its own. */
void iimg_task_destroy(iimg_task_t *task);

/**
 * Do the next steps, one after the other: until one that is not for this thread (CALL, END), or one
 * that has to wait (due).
 */
void iimg_task_advance(iimg_task_t *task);

/** Let a task that waits end, if the provider has not been asked. @return whether it will */
bool iimg_task_cancel(iimg_task_t *task);

#endif
