/* protocol.h - what httpd and identityimg-worker say to each other about a picture. */
#ifndef IIMG_SERVICES_PICTURES_PROTOCOL_H
#define IIMG_SERVICES_PICTURES_PROTOCOL_H

#include <stdint.h>
#include "services/pictures/edit.h"

/* The zygote is given one end of a SOCK_SEQPACKET pair as IIMG_WORK_SOCKET. A request is one
 * message, with three descriptors: a file with the picture (a sealed memory file, or one open for
 * reading alone), a pipe for the answer, which the picture's own process writes and closes, and a
 * pipe for verdicts, which the zygote alone writes. The zygote never sees a byte of a picture; the
 * answer may come from a process that was taken over. */

#define IIMG_WORK_PROTOCOL 2 /* httpd and worker of different versions refuse one another */
#define IIMG_WORK_SOCKET   3

enum {
    IIMG_WORK_PICTURE,
    IIMG_WORK_ANSWER,
    IIMG_WORK_VERDICT,
    IIMG_WORK_DESCRIPTORS
};

typedef enum {
    IIMG_WORK_DERIVE = 1, /* the derivatives, and what is kept of the original */
    IIMG_WORK_REFERENCE,  /* one upright JPEG without transparency, for a provider */
    IIMG_WORK_INSPECT,    /* width and height alone */
    IIMG_WORK_POSTER      /* a poster of an iimg_work_poster_t */
} iimg_work_kind_t;

typedef struct iimg_work_request_t {
    uint32_t protocol;
    uint32_t kind;            /* iimg_work_kind_t */
    uint64_t offset, length;  /* of the picture in its file */
    uint64_t max_pixels;      /* of everything but baseline JPEG */
    uint64_t max_pixels_jpeg; /* of baseline JPEG */
    uint32_t side;            /* REFERENCE: most pixels of the longer side */
    uint32_t format;          /* DERIVE: iimg_format_t of opaque derivatives: JPEG or WebP */
    uint32_t quality;         /* DERIVE: 1-100 */
    uint32_t wait;            /* milliseconds to wait for a turn */
    uint32_t deadline;        /* milliseconds for the work itself */
    uint32_t reserved;        /* 0 */
} iimg_work_request_t;

typedef enum {
    IIMG_WORK_STARTED = 1, /* its turn has come */
    IIMG_WORK_ENDED,       /* its process has ended; detail: exit status */
    IIMG_WORK_KILLED,      /* its process was killed; detail: signal */
    IIMG_WORK_LATE,        /* it was not done by its deadline */
    IIMG_WORK_BUSY,        /* its turn did not come in time */
    IIMG_WORK_REFUSED      /* no request that this worker understands */
} iimg_work_event_t;

typedef struct iimg_work_verdict_t {
    uint32_t event; /* iimg_work_event_t */
    int32_t detail;
} iimg_work_verdict_t;

/* Exit statuses from here to 79 say that the process could not be locked in: which step failed. */
#define IIMG_WORK_UNLOCKED 64

typedef enum {
    IIMG_WORK_DONE = 1,
    IIMG_WORK_UNREADABLE,      /* damaged, or no picture of its kind; `said` says why */
    IIMG_WORK_TOO_MANY_PIXELS, /* width and height are set, and limit */
    IIMG_WORK_LARGE_PROFILE,   /* limit is the profile's bytes */
    IIMG_WORK_FAILED           /* our fault: the poster, a wrong request */
} iimg_work_status_t;

#define IIMG_WORK_PIECES         3
#define IIMG_WORK_SAID           240
#define IIMG_WORK_MAX_PROFILE    (4 * 1024 * 1024)
#define IIMG_WORK_MAX_DERIVATIVE (2 * 1024 * 1024)
#define IIMG_WORK_MAX_JPEG       (32 * 1024 * 1024) /* of a reference or a poster */

/** Head of the one frame that is an answer; `step_count` steps and the pieces' bytes follow. */
typedef struct iimg_work_answer_t {
    uint32_t protocol;
    uint32_t status;        /* iimg_work_status_t */
    uint32_t width, height; /* of the picture as stored, before orientation */
    uint64_t limit;
    uint32_t format;     /* iimg_format_t of the pieces */
    uint32_t step_count; /* DERIVE: of the edit that cleans the original */
    uint32_t insert_length;
    uint32_t piece_count;
    uint64_t lengths[IIMG_WORK_PIECES];
    unsigned char inserts[IIMG_EDIT_MAX_INSERT];
    char said[IIMG_WORK_SAID]; /* for the log; ends with NUL */
} iimg_work_answer_t;

#define IIMG_WORK_TEXTS           4 /* title, subtitle, body, mark */
#define IIMG_WORK_POSTER_PICTURES 8

/** Head of what the memory file holds for a poster; texts (UTF-8) and pictures (JPEG) follow. */
typedef struct iimg_work_poster_t {
    uint32_t width, height;
    uint32_t text_lengths[IIMG_WORK_TEXTS];
    uint32_t picture_count;
    uint32_t picture_lengths[IIMG_WORK_POSTER_PICTURES];
} iimg_work_poster_t;

#endif
