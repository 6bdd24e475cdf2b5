/* heif.h - a map of the bytes of a HEIF: which are kept and which are blanked. */
#ifndef IIMG_WORKER_METADATA_HEIF_H
#define IIMG_WORKER_METADATA_HEIF_H

#include "worker/metadata/walk.h"

/** A box (ISO/IEC 14496-12, section 4.2). */
typedef struct iimg_box_t {
    size_t at;        /* of its head */
    size_t body, end; /* of its content */
    const unsigned char *type;
} iimg_box_t;

#define IIMG_HEIF_MAX_MEDIA  16   /* boxes of media data */
#define IIMG_HEIF_MAX_PAINTS 8192 /* calls of iimg_heif_paint: each may move the whole map */

typedef struct iimg_heif_t {
    iimg_walk_t *walk;
    size_t end; /* after the last box that is used */
    int paints; /* so far */
    iimg_box_t media[IIMG_HEIF_MAX_MEDIA];
    int media_count;
    iimg_box_t meta, movie; /* type NULL: absent */
    /* In meta: pitm, iloc, iinf, iref, iprp, idat; type NULL: absent. */
    iimg_box_t primary, locations, infos, references, properties, data;
} iimg_heif_t;

/** The treatment of bytes. All are blanked with zeros until they are painted. */
typedef enum {
    IIMG_PAINT_KEEP,
    IIMG_PAINT_ZERO,
    IIMG_PAINT_SPACE,
    IIMG_PAINT_EXIF
} iimg_paint_t;

/** Set the treatment of a range within heif->end, replacing the earlier one. */
void iimg_heif_paint(iimg_heif_t *heif, size_t offset, size_t length, iimg_paint_t paint);

/**
 * Read the box at an offset in [at, end). A box of length 0 extends to the end.
 * @return false at the end, and when the box is incomplete
 */
bool iimg_box_next(const iimg_walk_t *walk, size_t at, size_t end, iimg_box_t *box);

bool iimg_box_is(const iimg_box_t *box, const char *type);

/** A reader of numbers of several widths. */
typedef struct iimg_reader_t {
    const unsigned char *data;
    size_t at, end;
    bool cut; /* read beyond the end: the results are 0 */
} iimg_reader_t;

/** Read the next number of up to eight bytes, big-endian. */
uint64_t iimg_take(iimg_reader_t *reader, unsigned width);

/** Keep the items of the picture, blank items of metadata. @return false on errors */
bool iimg_heif_items(iimg_heif_t *heif);

/** Keep the properties of the picture, and read its size and colors. */
void iimg_heif_properties(iimg_heif_t *heif);

/** Keep the tracks of an image sequence without times and texts. @return false on errors */
bool iimg_heif_movie(iimg_heif_t *heif);

#endif
