/* metadata.h - takes private metadata off a picture and leaves its pixels as they are. */
#ifndef IIMG_WORKER_METADATA_METADATA_H
#define IIMG_WORKER_METADATA_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/media_type.h"
#include "services/pictures/edit.h"

/** Color description of a container beside an ICC profile, in the container's own numbers. */
typedef struct iimg_color_t {
    bool has_cicp; /* code points of ITU-T H.273: PNG's cICP, HEIF's nclx */
    unsigned char primaries, transfer;
    bool is_video;  /* of nclx: its curves of video are shown as sRGB's */
    bool has_srgb;  /* PNG's sRGB */
    uint32_t gamma; /* PNG's gAMA: 100,000ths; 0: none */
    bool has_chromaticities;
    uint32_t chromaticities[8]; /* PNG's cHRM: 100,000ths, x and y of white, red, green, blue */
    uint32_t most_light;        /* cd/m2 of the brightest pixel (cLLI, mDCV); 0: it does not say */
    bool is_premultiplied;      /* HEIF's prem: colors are multiplied with alpha already */
} iimg_color_t;

/** What a picture's container says. */
typedef struct iimg_metadata_t {
    iimg_edit_t edit;       /* makes the clean picture out of this one; valid for its length */
    int orientation;        /* 1-8, as EXIF has it; 1 when the picture says nothing, and for
                               HEIC and AVIF: their decoder turns them (irot, imir) */
    uint32_t width, height; /* as the container says, before orientation; 0: it does not say */
    bool progressive;       /* JPEG with several scans, interlaced PNG: holds all pixels while
                               it is decoded */
    bool unended;           /* its end was missing or damaged, and was put in: only a decoder can
                               say whether all pixels are there */
    uint64_t still_length; /* GIF and WebP with several frames: the bytes of the clean picture up to
                              the end of the first one; else 0 */
    uint64_t icc_length;   /* bytes of the ICC profile as it stands in the file, 0: none */
    iimg_color_t color;
    bool is_lossless; /* coded without loss: PNG, GIF, WebP of that kind, RGB in HEIF */
} iimg_metadata_t;

/**
 * Walk the container of a picture and say what is kept of it: pixels, color profile, orientation,
 * animation. EXIF (with GPS, maker notes, thumbnails), XMP, IPTC, C2PA, comments, unknown parts and
 * what follows the picture's end go. An end that is missing or damaged is made good, and so are
 * lengths, where the first frame may be whole. The result is at most IIMG_EDIT_MAX_GROWTH bytes
 * longer, and filtering it again changes nothing. Allocates nothing, calls nothing but libc's
 * memory functions; takes linear time, whatever the bytes.
 * @param format what iimg_media_type_sniff said of these bytes
 * @param steps  room for IIMG_EDIT_MAX_STEPS; metadata->edit points into it
 * @return NULL, or a short clause on what is malformed ("a segment reaches beyond the end"); a
 *         literal. metadata is then of no use
 */
const char *iimg_metadata_filter(iimg_format_t format, const unsigned char *data, size_t length,
                                 iimg_edit_step_t *steps, iimg_metadata_t *metadata);

#endif
