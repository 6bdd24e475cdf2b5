/* metadata.h - remove private metadata from a picture without changing pixels. */
#ifndef IIMG_WORKER_METADATA_METADATA_H
#define IIMG_WORKER_METADATA_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/media_type.h"
#include "services/pictures/edit.h"

/** The color description of a container, without ICC profile. */
typedef struct iimg_color_t {
    bool has_cicp; /* code points of ITU-T H.273: PNG's cICP, HEIF's nclx */
    unsigned char primaries, transfer;
    bool is_video;  /* nclx: curves of video are shown as sRGB's */
    bool has_srgb;  /* PNG's sRGB */
    uint32_t gamma; /* PNG's gAMA: 100,000ths; 0: none */
    bool has_chromaticities;
    uint32_t chromaticities[8]; /* PNG's cHRM: 100,000ths, x and y of white, red, green, blue */
    uint32_t most_light;        /* cd/m2 of the brightest pixel (cLLI, mDCV); 0: unknown */
    bool is_premultiplied;      /* HEIF's prem: colors are premultiplied by alpha */
} iimg_color_t;

/** The result of a walk. */
typedef struct iimg_metadata_t {
    iimg_edit_t edit;       /* converts the picture to the clean one; valid for its length */
    int orientation;        /* of EXIF, 1 to 8; 1 when absent, and for HEIC and AVIF, whose
                               decoder applies it (irot, imir) */
    uint32_t width, height; /* in the container, before orientation; 0: unknown */
    bool progressive;       /* JPEG with several scans, interlaced PNG: decoding needs all
                               pixels in memory */
    bool unended;           /* the end was missing or damaged and was appended: only decoding
                               shows whether pixels are missing */
    uint64_t still_length; /* GIF and WebP with several frames: bytes of the clean picture up to the
                              end of the first one; otherwise 0 */
    uint64_t icc_length;   /* bytes of the ICC profile in the file; 0: none */
    iimg_color_t color;
    bool is_lossless; /* PNG, GIF, lossless WebP, RGB in HEIF */
} iimg_metadata_t;

/**
 * Walk the container of a picture and make an edit that keeps pixels, color profile, orientation
 * and animation. EXIF (with GPS, maker notes, thumbnails), XMP, IPTC, C2PA, comments, unknown parts
 * and bytes after the end are removed. Missing or damaged ends and wrong lengths are repaired if
 * the first frame may be complete. The result is at most IIMG_EDIT_MAX_GROWTH bytes longer, and
 * filtering it again changes nothing. Takes linear time for any input, allocates no memory, and
 * calls libc's memory functions only.
 * @param format the result of iimg_media_type_sniff
 * @param steps  room for IIMG_EDIT_MAX_STEPS; metadata->edit points into it
 * @return NULL, or a literal clause that names the error ("a segment reaches beyond the end");
 *         metadata is undefined then
 */
const char *iimg_metadata_filter(iimg_format_t format, const unsigned char *data, size_t length,
                                 iimg_edit_step_t *steps, iimg_metadata_t *metadata);

#endif
