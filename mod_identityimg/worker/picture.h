/* picture.h - process a picture with libvips: derivatives, a reference for the provider, its size.
 */
#ifndef IIMG_WORKER_PICTURE_H
#define IIMG_WORKER_PICTURE_H

#include <vips/vips.h>
#include "services/pictures/protocol.h"

/* Nothing is freed: the process exits with its picture. */

typedef struct iimg_piece_t {
    void *data;
    size_t length;
} iimg_piece_t;

/** A request in progress: the head of its answer and the pieces that follow. */
typedef struct iimg_work_t {
    const iimg_work_request_t *request;
    unsigned char *data; /* the picture, or the description of a poster; a private mapping
                            that may be written to */
    size_t length;
    iimg_work_answer_t answer;
    iimg_edit_step_t *steps;
    iimg_piece_t pieces[IIMG_WORK_PIECES];
} iimg_work_t;

/** Initialize libvips with five loaders, one thread and no cache. @return 0, or -1 */
int iimg_picture_start(void);

/** Process IIMG_WORK_DERIVE, _REFERENCE or _INSPECT; the outcome is in work->answer.status. */
void iimg_picture_work(iimg_work_t *work);

/** Save as JPEG without metadata. @return 0, or -1 with libvips' error set */
int iimg_picture_save_jpeg(VipsImage *image, int quality, iimg_piece_t *piece);

/** Compose an IIMG_WORK_POSTER. */
void iimg_poster_work(iimg_work_t *work);

/** Set the status of a failure, with libvips' error for the log. */
void iimg_work_fail(iimg_work_t *work, iimg_work_status_t status);

#endif
