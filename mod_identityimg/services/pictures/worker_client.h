/* worker_client.h - asks identityimg-worker about a picture, and starts it. */
#ifndef IIMG_SERVICES_PICTURES_WORKER_CLIENT_H
#define IIMG_SERVICES_PICTURES_WORKER_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/context.h"
#include "base/error.h"
#include "services/pictures/protocol.h"

/** How pictures are asked about; read-only after start, shared by all threads and processes. */
typedef struct iimg_picture_worker_t {
    int socket;   /* our end of the pair; -1: there is no worker */
    int wait;     /* milliseconds for a turn */
    int deadline; /* milliseconds for a picture */
} iimg_picture_worker_t;

/**
 * Some bytes, and where they lie in a file for the worker, if they do: a sealed memory file, or one
 * that this descriptor can only read, and to which nobody writes any more.
 */
typedef struct iimg_bytes_t {
    const char *data;
    apr_size_t length;
    int file;          /* -1: none yet */
    apr_size_t offset; /* in file */
    bool spare;        /* nobody reads data any more when they have been asked about:
                          they may be overwritten, which file does not see */
} iimg_bytes_t;

typedef enum {
    IIMG_WORKER_ANSWERED, /* answer, steps and pieces are set, and make sense together */
    IIMG_WORKER_KILLED,   /* the picture ended its process: damaged, or an attack */
    IIMG_WORKER_LATE,     /* it took too long */
    IIMG_WORKER_BUSY,     /* its turn did not come in time */
    IIMG_WORKER_AWAY,     /* there is no worker, or it does not take requests */
    IIMG_WORKER_LIED      /* what it answered cannot be true */
} iimg_worker_outcome_t;

typedef struct iimg_worker_reply_t {
    iimg_worker_outcome_t outcome;
    const char *why; /* for the log, unless it answered */
    bool reached;    /* the worker took the question */
    iimg_work_answer_t answer;
    iimg_edit_t edit; /* not judged yet */
    const char *pieces[IIMG_WORK_PIECES];
} iimg_worker_reply_t;

/** What is asked, beside the bytes, and what an answer may hold at most. */
typedef struct iimg_worker_question_t {
    iimg_work_request_t request; /* protocol, place, wait and deadline are filled in */
    const iimg_bytes_t *bytes;
    uint32_t pieces;      /* that a full answer has */
    apr_size_t max_piece; /* bytes */
    void (*meanwhile)(
        void *baton); /* called once, when the worker has been given the picture: what takes
                         time besides; not called when it cannot be given it. Or NULL */
    void *baton;
} iimg_worker_question_t;

/**
 * Ask, and wait for the answer: at most for worker->wait and worker->deadline. The answer is read
 * as a stranger's: its length is known before it is read, and nothing in it is used unchecked.
 * @param reply what came of it; pieces are the context's pool's
 * Errors: IIMG_UNAVAILABLE when there is no memory or no descriptor for asking.
 */
iimg_error_t *iimg_picture_worker_ask(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply);

/** How a worker is started. */
typedef struct iimg_worker_start_t {
    const char *program;
    int socket;       /* its end of the pair */
    int workers;      /* most pictures at once */
    long user, group; /* what it becomes when we are root; -1 else */
    int delay;        /* milliseconds before it begins */
} iimg_worker_start_t;

/**
 * Make the pair of sockets: [0] is ours, [1] the worker's, which may be given to its successor.
 * Both are closed on exec. @return false with errno set
 */
bool iimg_picture_worker_pair(int ends[2]);

/**
 * Start a worker: with an empty environment, and no descriptors but its end and stderr. It ends
 * when all processes that hold our end are gone.
 * @return its pid, or -1 with errno set; the caller waits for it
 */
pid_t iimg_picture_worker_start(const iimg_worker_start_t *start);

#endif
