/* walk.h - functions that all walks share: build the edit, read numbers, EXIF. */
#ifndef IIMG_WORKER_METADATA_WALK_H
#define IIMG_WORKER_METADATA_WALK_H

#include "worker/metadata/metadata.h"

/** A walk over a picture. */
typedef struct iimg_walk_t {
    const unsigned char *data;
    size_t length;
    iimg_metadata_t *out;
    const char *wrong; /* the first error; NULL: none */
} iimg_walk_t;

/* Walks, one for each container. Errors are in walk->wrong. */
void iimg_metadata_jpeg(iimg_walk_t *walk);
void iimg_metadata_png(iimg_walk_t *walk);
void iimg_metadata_webp(iimg_walk_t *walk);
void iimg_metadata_gif(iimg_walk_t *walk);
void iimg_metadata_heif(iimg_walk_t *walk);

/** Report an error as a literal clause. The first one is kept. @return false */
bool iimg_walk_wrong(iimg_walk_t *walk, const char *clause);

/** Ignore an error: the picture ends here and is usable. */
void iimg_walk_end_early(iimg_walk_t *walk);

/** Mark the end of the first of several frames. Later calls are ignored. */
void iimg_walk_end_first_frame(iimg_walk_t *walk);

/** Keep a range after all earlier ones. Adjacent ranges are joined. */
void iimg_walk_keep(iimg_walk_t *walk, size_t offset, size_t length);

/** Insert bytes. @return their copy, which may be changed during the walk; NULL: no room */
unsigned char *iimg_walk_insert(iimg_walk_t *walk, const void *bytes, int length);

/** Insert a byte, repeated. */
void iimg_walk_fill(iimg_walk_t *walk, unsigned char byte, size_t length);

/** Whether length bytes at offset end at or before end. */
bool iimg_within(size_t offset, size_t length, size_t end);

uint32_t iimg_big16(const unsigned char *p);
uint32_t iimg_big32(const unsigned char *p);
uint32_t iimg_little16(const unsigned char *p);
uint32_t iimg_little24(const unsigned char *p);
uint32_t iimg_little32(const unsigned char *p);

/** Read the orientation of an EXIF block, from its TIFF header. @return 0: none, or invalid */
int iimg_exif_orientation(const unsigned char *tiff, size_t length);

#define IIMG_EXIF_SIZE 26

/** Write an EXIF block of IIMG_EXIF_SIZE bytes with an orientation only. */
void iimg_exif_write(unsigned char *tiff, int orientation);

#endif
