/* protocol.h - the protocol between httpd and identityimg-worker. */
#ifndef IIMG_SERVICES_PICTURES_PROTOCOL_H
#define IIMG_SERVICES_PICTURES_PROTOCOL_H

#include <stdint.h>
#include "services/pictures/derivatives.h"
#include "services/pictures/edit.h"

/* The zygote has one end of a SOCK_SEQPACKET pair as IIMG_WORK_SOCKET. A request is one message
 * with three descriptors: a file with the picture (a sealed memory file, or a file open for reading
 * only), a pipe for the answer, which the picture's own process writes and closes, and a pipe for
 * verdicts, which only the zygote writes. The zygote never reads a picture. The answer is
 * untrusted: its process may have been compromised by the picture. */

#define IIMG_WORK_PROTOCOL 2 /* httpd and worker refuse other versions */
#define IIMG_WORK_SOCKET   3

enum {
    IIMG_WORK_PICTURE,
    IIMG_WORK_ANSWER,
    IIMG_WORK_VERDICT,
    IIMG_WORK_DESCRIPTORS
};

typedef enum {
    IIMG_WORK_DERIVE = 1, /* derivatives, and the edit that cleans the original */
    IIMG_WORK_REFERENCE,  /* one upright JPEG without transparency, for a provider */
    IIMG_WORK_INSPECT,    /* width and height only */
    IIMG_WORK_POSTER      /* a poster of an iimg_work_poster_t */
} iimg_work_kind_t;

typedef struct iimg_work_request_t {
    uint32_t protocol;
    uint32_t kind;            /* iimg_work_kind_t */
    uint64_t offset, length;  /* of the picture in its file */
    uint64_t max_pixels;      /* of all formats except baseline JPEG */
    uint64_t max_pixels_jpeg; /* of baseline JPEG */
    uint32_t side;            /* REFERENCE: most pixels of the longer side */
    uint32_t format;          /* DERIVE: iimg_format_t of opaque derivatives: JPEG or WebP */
    uint32_t quality;         /* DERIVE: 1-100 */
    uint32_t wait;            /* milliseconds to wait for a turn */
    uint32_t deadline;        /* milliseconds for the work itself */
    uint32_t reserved;        /* 0 */
} iimg_work_request_t;

typedef enum {
    IIMG_WORK_STARTED = 1, /* its process has started */
    IIMG_WORK_ENDED,       /* its process has ended; detail: exit status */
    IIMG_WORK_KILLED,      /* its process was killed; detail: signal */
    IIMG_WORK_LATE,        /* the deadline has passed */
    IIMG_WORK_BUSY,        /* no turn in time */
    IIMG_WORK_REFUSED      /* this worker does not understand the request */
} iimg_work_event_t;

typedef struct iimg_work_verdict_t {
    uint32_t event; /* iimg_work_event_t */
    int32_t detail;
} iimg_work_verdict_t;

/* Exit statuses from here to 79: the process could not be sandboxed; the number tells the failed
 * step. */
#define IIMG_WORK_UNLOCKED 64

typedef enum {
    IIMG_WORK_DONE = 1,
    IIMG_WORK_UNREADABLE,      /* damaged, or not of its format; the reason is in `said` */
    IIMG_WORK_TOO_MANY_PIXELS, /* width and height are set, and limit */
    IIMG_WORK_LARGE_PROFILE,   /* limit is the profile's bytes */
    IIMG_WORK_FAILED           /* an error of ours: a poster, an invalid request */
} iimg_work_status_t;

#define IIMG_WORK_PIECES         IIMG_DERIVATIVES /* most of an answer */
#define IIMG_WORK_SAID           240
#define IIMG_WORK_MAX_PROFILE    (4 * 1024 * 1024)
#define IIMG_WORK_MAX_DERIVATIVE (2 * 1024 * 1024)
#define IIMG_WORK_MAX_JPEG       (32 * 1024 * 1024) /* of a reference or a poster */

/** The head of an answer, which is one frame. `step_count` steps and the pieces follow. */
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

_Static_assert(sizeof(iimg_work_answer_t) == 368 && IIMG_WORK_PROTOCOL == 2,
               "another layout of the answer is another IIMG_WORK_PROTOCOL: change both numbers");

/* The worst case is a PNG that cannot be compressed: four bytes a pixel and some overhead. */
#define IIMG_WORK_FITS(name, member, side) \
    _Static_assert((side) * (side)*4 + 64 * 1024 <= IIMG_WORK_MAX_DERIVATIVE, \
                   "IIMG_WORK_MAX_DERIVATIVE is too small for " member);
IIMG_EACH_DERIVATIVE(IIMG_WORK_FITS)
#undef IIMG_WORK_FITS

#define IIMG_WORK_TEXTS           4 /* title, subtitle, body, mark */
#define IIMG_WORK_POSTER_PICTURES 8

/** The head of a poster's memory file. Texts (UTF-8) and pictures (JPEG) follow. */
typedef struct iimg_work_poster_t {
    uint32_t width, height;
    uint32_t text_lengths[IIMG_WORK_TEXTS];
    uint32_t picture_count;
    uint32_t picture_lengths[IIMG_WORK_POSTER_PICTURES];
} iimg_work_poster_t;

#endif
