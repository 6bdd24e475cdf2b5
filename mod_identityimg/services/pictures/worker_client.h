/* worker_client.h - sends pictures to identityimg-worker, reads its replies, and starts it. */
#ifndef IIMG_SERVICES_PICTURES_WORKER_CLIENT_H
#define IIMG_SERVICES_PICTURES_WORKER_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/context.h"
#include "base/error.h"
#include "services/pictures/protocol.h"

/*
 * server/picture_worker.c, in httpd's parent, makes the pair of sockets and starts the worker. In a
 * child any thread may call the worker; services/pictures/image.c does so for all others:
 *
 *     iimg_picture_worker_ask(context, worker, &question, &reply);
 *
 * or, to do something else while the worker decodes:
 *
 *     iimg_picture_worker_send(context, worker, &question, &reply, &call);
 *     ...
 *     iimg_picture_worker_wait(call);
 */

/** How the worker is called; read-only after start, shared by all threads and processes. */
typedef struct iimg_picture_worker_t {
    int socket;   /* our end of the pair; -1: there is no worker */
    int wait;     /* milliseconds to wait for a turn */
    int deadline; /* milliseconds for a picture */
} iimg_picture_worker_t;

/**
 * The bytes of a picture. If they are in a file that the worker may read, it reads that: a sealed
 * memory file, or a file that is open for reading only and no longer written.
 */
typedef struct iimg_bytes_t {
    const char *data;
    apr_size_t length;
    int file;          /* -1: none yet */
    apr_size_t offset; /* in file */
    bool spare;        /* data is not needed after the call and may be overwritten; file is not */
} iimg_bytes_t;

typedef enum {
    IIMG_WORKER_ANSWERED, /* answer, steps and pieces are set and consistent */
    IIMG_WORKER_KILLED,   /* the picture ended its process: damaged, or an attack */
    IIMG_WORKER_LATE,     /* the deadline passed */
    IIMG_WORKER_BUSY,     /* no turn in time */
    IIMG_WORKER_DOWN,     /* there is no worker, or it does not take requests */
    IIMG_WORKER_INVALID   /* the reply cannot be true */
} iimg_worker_outcome_t;

typedef struct iimg_worker_reply_t {
    iimg_worker_outcome_t outcome;
    const char *why; /* for the log, unless it answered */
    bool reached;    /* the worker received the request */
    iimg_work_answer_t answer;
    iimg_edit_t edit; /* not yet checked */
    const char *pieces[IIMG_WORK_PIECES];
} iimg_worker_reply_t;

/** A request, its bytes, and the limits of its answer. */
typedef struct iimg_worker_question_t {
    iimg_work_request_t request; /* protocol, place, wait and deadline are filled in */
    const iimg_bytes_t *bytes;
    uint32_t pieces;      /* of a complete answer */
    apr_size_t max_piece; /* bytes */
} iimg_worker_question_t;

/**
 * Send a request and wait for the answer, for worker->wait plus worker->deadline at most. The
 * answer is untrusted: its length is known before it is read, and nothing in it is used unchecked.
 * @param reply its pieces are allocated from context->pool
 * Errors: IIMG_UNAVAILABLE: no memory or no descriptor.
 */
iimg_error_t *iimg_picture_worker_ask(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply);

/** A request that was sent; allocated from context->pool. */
typedef struct iimg_worker_call_t iimg_worker_call_t;

/**
 * Send a request. iimg_picture_worker_wait must follow, in the same thread; question and reply must
 * live until then. The answer may wait in its pipe for any time.
 * Errors: IIMG_UNAVAILABLE: no memory or no descriptor; there is no call.
 */
iimg_error_t *iimg_picture_worker_send(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                       const iimg_worker_question_t *question,
                                       iimg_worker_reply_t *reply, iimg_worker_call_t **call);

/** Whether the worker's socket took the request. If not, iimg_picture_worker_wait is immediate. */
bool iimg_picture_worker_is_sent(const iimg_worker_call_t *call);

/** Wait for the answer. Result and errors: as iimg_picture_worker_ask. */
iimg_error_t *iimg_picture_worker_wait(iimg_worker_call_t *call);

/** How a worker is started. */
typedef struct iimg_worker_start_t {
    const char *program;
    int socket;       /* its end of the pair */
    int workers;      /* most pictures at once */
    long user, group; /* to change to if we are root; else -1 */
    int delay;        /* milliseconds to wait before */
} iimg_worker_start_t;

/**
 * Create the pair of sockets: [0] is ours, [1] the worker's, which is passed to each successor.
 * Both are closed on exec. @return false with errno set
 */
bool iimg_picture_worker_pair(int ends[2]);

/**
 * Start a worker with an empty environment and no descriptors except its socket and stderr. It
 * exits when all processes that hold our socket have ended.
 * @return its pid, for which the caller must wait; -1 with errno set
 */
pid_t iimg_picture_worker_start(const iimg_worker_start_t *start);

#endif
