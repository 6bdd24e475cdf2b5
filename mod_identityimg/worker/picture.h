/* picture.h - decodes one picture with libvips: derivatives, the form for a provider, its size. */
#ifndef IIMG_WORKER_PICTURE_H
#define IIMG_WORKER_PICTURE_H

#include <vips/vips.h>
#include "services/pictures/protocol.h"

/* Nothing here is ever freed: the process ends with its picture. */

typedef struct iimg_piece_t {
    void *data;
    size_t length;
} iimg_piece_t;

/** What one request gives: the answer's head and what follows it. */
typedef struct iimg_work_t {
    const iimg_work_request_t *request;
    unsigned char *data; /* of the picture, or the poster's description: this process' own
                            view, which may be written to, and shows it to nobody else */
    size_t length;
    iimg_work_answer_t answer;
    iimg_edit_step_t *steps;
    iimg_piece_t pieces[IIMG_WORK_PIECES];
} iimg_work_t;

/** Start libvips for pictures of strangers: five loaders, one thread, no cache. @return 0, or -1 */
int iimg_picture_start(void);

/** Do IIMG_WORK_DERIVE, _REFERENCE or _INSPECT; what came of it is in work->answer.status. */
void iimg_picture_work(iimg_work_t *work);

/** Save as JPEG without metadata. @return 0, or -1 with libvips' error set */
int iimg_picture_save_jpeg(VipsImage *image, int quality, iimg_piece_t *piece);

/** Compose an IIMG_WORK_POSTER. */
void iimg_poster_work(iimg_work_t *work);

/** Give up, with what libvips said for the log. */
void iimg_work_fail(iimg_work_t *work, iimg_work_status_t status);

#endif
