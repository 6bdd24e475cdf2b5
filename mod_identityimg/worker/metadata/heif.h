/* heif.h - a HEIF as a map of what becomes of each of its bytes, and who paints it. */
#ifndef IIMG_WORKER_METADATA_HEIF_H
#define IIMG_WORKER_METADATA_HEIF_H

#include "worker/metadata/walk.h"

/** A box (ISO/IEC 14496-12, section 4.2). */
typedef struct iimg_box_t {
    size_t at;        /* of its head */
    size_t body, end; /* of what it holds */
    const unsigned char *type;
} iimg_box_t;

#define IIMG_HEIF_MAX_MEDIA  16   /* boxes of media data */
#define IIMG_HEIF_MAX_PAINTS 8192 /* ranges painted: each may move the whole map */

typedef struct iimg_heif_t {
    iimg_walk_t *walk;
    size_t end; /* behind the last box that counts */
    int paints; /* so far */
    iimg_box_t media[IIMG_HEIF_MAX_MEDIA];
    int media_count;
    iimg_box_t meta, movie; /* type NULL: there is none */
    /* Within meta: pitm, iloc, iinf, iref, iprp, idat; the same. */
    iimg_box_t primary, locations, infos, references, properties, data;
} iimg_heif_t;

/** What becomes of bytes. All are blanked with zeros until something else is painted over them. */
typedef enum {
    IIMG_PAINT_KEEP,
    IIMG_PAINT_ZERO,
    IIMG_PAINT_SPACE,
    IIMG_PAINT_EXIF
} iimg_paint_t;

/** Say what becomes of a range within heif->end; what was said of it before is forgotten. */
void iimg_heif_paint(iimg_heif_t *heif, size_t offset, size_t length, iimg_paint_t paint);

/**
 * Read the box at a place in [at, end); one of length 0 goes to the end.
 * @return false at the end, and where there is no whole box
 */
bool iimg_box_next(const iimg_walk_t *walk, size_t at, size_t end, iimg_box_t *box);

bool iimg_box_is(const iimg_box_t *box, const char *type);

/** Numbers of several widths, one after the other. */
typedef struct iimg_reader_t {
    const unsigned char *data;
    size_t at, end;
    bool cut; /* read beyond the end: what came of it is 0 */
} iimg_reader_t;

/** Read the next number of up to eight bytes, big-endian. */
uint64_t iimg_take(iimg_reader_t *reader, unsigned width);

/** Keep what items of the picture hold, blank what those of metadata hold. @return false: wrong */
bool iimg_heif_items(iimg_heif_t *heif);

/** Keep the properties that make the picture, and read its size and colors from them. */
void iimg_heif_properties(iimg_heif_t *heif);

/** Keep the tracks of an image sequence, but their times and texts. @return false: wrong */
bool iimg_heif_movie(iimg_heif_t *heif);

#endif
