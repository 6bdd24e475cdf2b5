/* walk.h - what the walks over the containers share: the edit that grows, and EXIF. */
#ifndef IIMG_WORKER_METADATA_WALK_H
#define IIMG_WORKER_METADATA_WALK_H

#include "worker/metadata/metadata.h"

/** A walk over one picture. */
typedef struct iimg_walk_t {
    const unsigned char *data;
    size_t length;
    iimg_metadata_t *out;
    const char *wrong; /* the first thing that is malformed; NULL so far */
} iimg_walk_t;

/* One for each container; what is wrong is left in walk->wrong. */
void iimg_metadata_jpeg(iimg_walk_t *walk);
void iimg_metadata_png(iimg_walk_t *walk);
void iimg_metadata_webp(iimg_walk_t *walk);
void iimg_metadata_gif(iimg_walk_t *walk);
void iimg_metadata_heif(iimg_walk_t *walk);

/** Say what is wrong, a literal; the first one counts. @return false */
bool iimg_walk_wrong(iimg_walk_t *walk, const char *clause);

/** Go on in spite of what is malformed: the picture ends here, with all that it needs. */
void iimg_walk_end_early(iimg_walk_t *walk);

/** Note that the first of several frames ends with what was kept so far; later calls count not. */
void iimg_walk_end_first_frame(iimg_walk_t *walk);

/** Keep a range that begins behind all kept before; one that continues the last is joined to it. */
void iimg_walk_keep(iimg_walk_t *walk, size_t offset, size_t length);

/** Put bytes in. @return where they stand, to be changed while the walk goes on; NULL: no room */
unsigned char *iimg_walk_insert(iimg_walk_t *walk, const void *bytes, int length);

/** Put in one byte, repeated. */
void iimg_walk_fill(iimg_walk_t *walk, unsigned char byte, size_t length);

/** Whether length bytes at offset are within end. */
bool iimg_within(size_t offset, size_t length, size_t end);

uint32_t iimg_big16(const unsigned char *p);
uint32_t iimg_big32(const unsigned char *p);
uint32_t iimg_little16(const unsigned char *p);
uint32_t iimg_little24(const unsigned char *p);
uint32_t iimg_little32(const unsigned char *p);

/** @return the orientation that an EXIF block (from its TIFF header on) states; 0: none of them */
int iimg_exif_orientation(const unsigned char *tiff, size_t length);

#define IIMG_EXIF_SIZE 26

/** Write an EXIF block of IIMG_EXIF_SIZE bytes that says an orientation and nothing else. */
void iimg_exif_write(unsigned char *tiff, int orientation);

#endif
